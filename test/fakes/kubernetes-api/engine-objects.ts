import type { ClusterObject, LaunchSpec } from "../../../src/engines/engine.ts";

export interface EngineObjectChoices {
  readonly image?: string;
  readonly cards?: number;
  /** Replaced beside the old pod, and not after it. */
  readonly rolling?: boolean;
  /** Name of a Secret that a variable refers to. */
  readonly secret?: string;
}

const PORT = 8000;

/** The Deployment and the Service of an engine, as a rendering has them; it listens at the address of its pod. */
export function engineObjects(
  launch: LaunchSpec,
  choices: EngineObjectChoices = {},
): readonly ClusterObject[] {
  const { image = "engine:1", cards = 0, rolling = false, secret } = choices;
  const name = launch.service;
  const labels = { "app.kubernetes.io/name": "fake", "app.kubernetes.io/instance": name };
  const [program, ...words] = launch.command;
  const env = Object.entries(launch.environment).map(([key, value]) => ({ name: key, value }));
  const reference = { name: "KEY", valueFrom: { secretKeyRef: { name: secret, key: "KEY" } } };
  const address = { name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } };
  const ofWorkload = { name, labels: { ...labels, "app.kubernetes.io/managed-by": "omni" } };
  const ofService = { name, labels };
  return [
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: ofWorkload,
      spec: {
        replicas: 1,
        strategy: { type: rolling ? "RollingUpdate" : "Recreate" },
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            terminationGracePeriodSeconds: 30,
            containers: [
              {
                name: "engine",
                image,
                command: [program],
                args: inPod(words),
                env: [address, ...env, ...(secret === undefined ? [] : [reference])],
                ports: [{ name: "http", containerPort: PORT }],
                ...(cards === 0 ? {} : { resources: { limits: { "nvidia.com/gpu": `${cards}` } } }),
              },
            ],
          },
        },
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: ofService,
      spec: { selector: labels, ports: [{ name: "http", port: PORT, targetPort: "http" }] },
    },
  ];
}

/** The engine's words with the pod's own address in place of the one by which Omni reaches it. */
const inPod = (words: readonly string[]): readonly string[] =>
  words.map((word, index) => {
    if (words[index - 1] === "--host") return "$(POD_IP)";
    return words[index - 1] === "--port" ? `${PORT}` : word;
  });
