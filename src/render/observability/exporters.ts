import type { V1DaemonSet } from "@kubernetes/client-node";
import { MONITORING_IMAGES } from "../../catalog/index.ts";
import type { Cluster, Deployment } from "../../deployment/index.ts";
import { yamlDocument } from "../documents/yaml.ts";
import { composeText } from "../escape/compose.ts";
import { labelText } from "./label-text.ts";
import { DCGM_NAME, NODE_EXPORTER_NAME } from "./scrape.ts";
import type { MetricSources } from "./sources.ts";

/** `compose.yaml`: Prometheus and the exporters as a project of their own beside the engines' on the same networks. */
export function monitoringCompose(deployment: Deployment, sources: MetricSources): string {
  const networks = networksOf(deployment, sources);
  const joined = Object.keys(networks);
  return yamlDocument(
    {
      name: `${deployment.docker.project}-monitoring`,
      services: {
        prometheus: {
          image: MONITORING_IMAGES.prometheus,
          command: ["--config.file=/etc/prometheus/prometheus.yaml", "--storage.tsdb.retention.time=90d"],
          ports: ["127.0.0.1:9090:9090"],
          volumes: [
            { type: "bind", source: ".", target: "/etc/prometheus", read_only: true },
            { type: "volume", source: "prometheus", target: "/prometheus" },
          ],
          networks: ["exporters", ...joined],
          restart: "unless-stopped",
        },
        [NODE_EXPORTER_NAME]: {
          image: MONITORING_IMAGES.nodeExporter,
          command: ["--path.rootfs=/host"],
          pid: "host",
          volumes: [
            { type: "bind", source: "/", target: "/host", read_only: true, bind: { propagation: "rslave" } },
          ],
          networks: ["exporters"],
          restart: "unless-stopped",
        },
        ...(sources.dcgm === "compose"
          ? {
              [DCGM_NAME]: {
                image: MONITORING_IMAGES.dcgmExporter,
                ...allCards(deployment.docker.gpus),
                networks: ["exporters"],
                restart: "unless-stopped",
              },
            }
          : {}),
      },
      networks: { exporters: { driver: "bridge" }, ...networks },
      volumes: { prometheus: {} },
    },
    [
      `Prometheus and exporters for ${deployment.name}: docker compose -f compose.yaml up -d, after the engines' project is up, whose networks it joins. Rendered by Omni from omni.yaml (telemetry.metrics).`,
      "Prometheus answers on http://127.0.0.1:9090 of this machine. It is on every network that engines are on, to ask them; it forwards nothing between them, and publishes on this machine alone.",
      "node-exporter sees the host's disks read-only; dcgm-exporter sees all cards and takes none of their memory.",
    ].join("\n"),
  );
}

/** All cards for one container, by the mechanism that the engines of this deployment are given theirs by. */
function allCards(by: Deployment["docker"]["gpus"]): Readonly<Record<string, unknown>> {
  if (by === "environment") return { runtime: "nvidia", environment: { NVIDIA_VISIBLE_DEVICES: "all" } };
  if (by === "cdi") return { devices: ["nvidia.com/gpu=all"] };
  const device = { driver: "nvidia", count: "all", capabilities: ["gpu"] };
  return { deploy: { resources: { reservations: { devices: [device] } } } };
}

/** Networks of the engines' project by their names in Docker; those of the spec that exist already keep theirs. */
function networksOf(deployment: Deployment, { docker }: MetricSources): Readonly<Record<string, object>> {
  const attached = new Set([
    ...docker.flatMap(({ networks }) => (networks.length === 0 ? ["default"] : networks)),
    ...(deployment.runtime === "docker" ? deployment.gateway.networks : []),
  ]);
  const own = [...attached].filter((name) => {
    const driver = deployment.networks.find((network) => network.name === name)?.driver ?? name;
    return driver !== "host" && driver !== "none";
  });
  return Object.fromEntries(
    own.map((name) => {
      const external = deployment.networks.find((network) => network.name === name)?.external === true;
      const real = external ? name : `${deployment.docker.project}_${name}`;
      return [
        name === "default" ? "engines" : name,
        { external: true, name: composeText(real, `networks.${name}`) },
      ];
    }),
  );
}

/** `dcgm-exporter.yaml`: one pod a node with cards, for clusters whose spec has no GPU operator to bring it. */
export function dcgmDaemonSet(deployment: Deployment, cluster: Cluster): string {
  const labels = {
    "app.kubernetes.io/name": DCGM_NAME,
    "app.kubernetes.io/instance": labelText(`${deployment.name}-${DCGM_NAME}`),
  };
  const nodes = cluster.nodes.filter(({ gpus }) => gpus.length > 0).map(({ name }) => name);
  const daemonSet: Pick<V1DaemonSet, "apiVersion" | "kind" | "metadata" | "spec"> = {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: {
      name: DCGM_NAME,
      namespace: cluster.namespace,
      labels: {
        ...labels,
        "app.kubernetes.io/component": "monitoring",
        "app.kubernetes.io/part-of": labelText(deployment.name),
        "app.kubernetes.io/managed-by": "omni",
      },
      annotations: { "omni.internal/asked-for-by": "telemetry.metrics" },
    },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          ...(cluster.runtimeClass === undefined ? {} : { runtimeClassName: cluster.runtimeClass }),
          automountServiceAccountToken: false,
          ...(nodes.length === 0
            ? {}
            : {
                affinity: {
                  nodeAffinity: {
                    requiredDuringSchedulingIgnoredDuringExecution: {
                      nodeSelectorTerms: [
                        {
                          matchExpressions: [
                            { key: "kubernetes.io/hostname", operator: "In", values: nodes },
                          ],
                        },
                      ],
                    },
                  },
                },
              }),
          containers: [
            {
              name: DCGM_NAME,
              image: MONITORING_IMAGES.dcgmExporter,
              // Sees every card and takes none: no resource of the device plugin is asked for.
              env: [
                { name: "NVIDIA_VISIBLE_DEVICES", value: "all" },
                { name: "NVIDIA_DRIVER_CAPABILITIES", value: "utility,compute" },
                { name: "DCGM_EXPORTER_KUBERNETES", value: "false" },
              ],
              ports: [{ name: "metrics", containerPort: 9400 }],
              readinessProbe: { httpGet: { path: "/health", port: "metrics" }, periodSeconds: 15 },
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
              resources: { requests: { cpu: "50m", memory: "256Mi" }, limits: { memory: "1Gi" } },
            },
          ],
        },
      },
    },
  };
  return yamlDocument(
    daemonSet,
    [
      `dcgm-exporter for cluster ${cluster.name}: numbers of every card for Prometheus. Rendered by Omni from omni.yaml (telemetry.metrics), because the spec has no GPU operator, which would bring it.`,
      "kubectl apply -f dcgm-exporter.yaml",
    ].join("\n"),
  );
}
