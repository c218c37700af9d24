import { setTimeout as sleep } from "node:timers/promises";
import type { V1Pod } from "@kubernetes/client-node";
import { probeScript, readProbe } from "../../../acceptance/index.ts";
import type { ProbeTarget } from "../../../acceptance/index.ts";
import type { Cluster, DeployedService } from "../../../deployment/index.ts";
import { selectorOf, serviceLabelled, servicesOf } from "../../../render/kubernetes/labels.ts";
import { networkLabels } from "../../../render/kubernetes/network-labels.ts";
import type { Pod } from "../../../runtimes/kubernetes/pod.ts";
import { ClusterApi } from "../../cluster/cluster-api.ts";
import type { Manifest } from "../../cluster/cluster-api.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { StepContext } from "../../step.ts";
import { accessOf } from "../kubernetes/index.ts";
import { outsideTargets, PROBE_TIME } from "./probed.ts";
import type { Probed } from "./probed.ts";

const POLL = 500;
const PROBE = "omni-probe";

/**
 * Tries to connect from a pod beside the service's own, with the labels by which policies find its networks and none by
 * which a Service or a controller would; and from one without them. Both are removed. Says why where it cannot.
 */
export async function clusterProbe(
  { deployment, workFolder }: RunbookInput,
  service: DeployedService,
  context: StepContext,
): Promise<Probed | string> {
  const cluster = deployment.clusters.find((one) =>
    servicesOf(deployment, one).some(({ name }) => name === service.name),
  );
  if (cluster === undefined) return `${service.name} is in no cluster.`;
  const api = await ClusterApi.open(accessOf(cluster, workFolder));
  const pods = await api.pods(cluster.namespace, selectorOf(serviceLabelled(service)));
  const engine = pods.find(({ phase, deleting, ip }) => phase === "Running" && !deleting && ip !== undefined);
  if (engine === undefined) return `${service.name} has no pod that runs.`;
  const targets = [
    // Pods of one network may reach each other: that this works shows that the probe does.
    { what: "itself", host: engine.ip ?? "", port: engine.port ?? service.port, name: "the engine" } as const,
    ...(await outsideTargets(deployment, await context.host(), context)),
  ];
  const inside = await tried(
    { api, cluster, engine, targets, context },
    networkLabels(service.networks),
    "in",
  );
  if (typeof inside === "string") return inside;
  const control = await tried({ api, cluster, engine, targets, context }, {}, "out");
  return { targets, inside, control: typeof control === "string" ? [] : control };
}

interface Trying {
  readonly api: ClusterApi;
  readonly cluster: Cluster;
  readonly engine: Pod;
  readonly targets: readonly ProbeTarget[];
  readonly context: StepContext;
}

async function tried(
  { api, cluster, engine, targets, context }: Trying,
  labels: Readonly<Record<string, string>>,
  what: "in" | "out",
): Promise<Probed["inside"] | string> {
  const own = selectorOf({ name: PROBE, instance: `${PROBE}-${what}` });
  const pod = probePod({ cluster, engine, targets }, { ...labels, ...own }, `${PROBE}-${what}`);
  await api.remove(pod, context.signal);
  await api.apply(pod);
  try {
    const until = Date.now() + PROBE_TIME;
    for (;;) {
      const [now] = await api.pods(cluster.namespace, own);
      if (now !== undefined && ENDED.has(now.phase)) {
        const lines = await api.lastLines(cluster.namespace, now, targets.length);
        const said = lines.at(-1) ?? now.message;
        return readProbe(lines.join("\n"), targets) ?? `The probe in the cluster ended with: ${said}`;
      }
      if (Date.now() > until) return `The probe in the cluster did not run within ${PROBE_TIME / 1000} s.`;
      await sleep(POLL, undefined, { signal: context.signal });
    }
  } finally {
    // Also after an interruption: a pod that is left behind is nobody's.
    await api.remove(pod, AbortSignal.timeout(60_000));
  }
}

const ENDED: ReadonlySet<string> = new Set(["Succeeded", "Failed"]);

/** The image is the engine's own, which the node has; it is run as nobody, with no card and no credentials. */
function probePod(
  { cluster, engine, targets }: Pick<Trying, "cluster" | "engine" | "targets">,
  labels: Readonly<Record<string, string>>,
  name: string,
): Manifest & V1Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: cluster.namespace, labels },
    spec: {
      restartPolicy: "Never",
      activeDeadlineSeconds: Math.ceil(PROBE_TIME / 1000),
      ...(engine.node === "" ? {} : { nodeName: engine.node }),
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      ...(cluster.imagePullSecret === undefined
        ? {}
        : { imagePullSecrets: [{ name: cluster.imagePullSecret }] }),
      securityContext: { runAsNonRoot: true, runAsUser: 65_534, seccompProfile: { type: "RuntimeDefault" } },
      containers: [
        {
          name: "probe",
          image: engine.image,
          imagePullPolicy: "IfNotPresent",
          command: [...probeScript(targets)],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
        },
      ],
    },
  };
}
