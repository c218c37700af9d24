import type { Deployment } from "../../deployment/index.ts";
import { yamlDocument } from "../documents/yaml.ts";
import { labelText } from "./label-text.ts";
import type { MetricSources, WatchedService } from "./sources.ts";

/** Seconds between looks: half of what the shortest rule needs. */
const INTERVAL = "15s";
/** Names that containers of the monitoring project find each other by. */
export const DCGM_NAME = "dcgm-exporter";
export const NODE_EXPORTER_NAME = "node-exporter";

interface StaticTarget {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

interface ScrapeJob {
  readonly job_name: string;
  readonly scheme?: "https";
  readonly tls_config?: { readonly insecure_skip_verify: true };
  readonly metrics_path?: string;
  readonly static_configs?: readonly StaticTarget[];
  readonly kubernetes_sd_configs?: readonly object[];
  readonly relabel_configs?: readonly object[];
}

/** `prometheus.yaml`: where Prometheus finds every metric that the rules are written on. */
export function prometheusConfig(deployment: Deployment, sources: MetricSources, rules: boolean): string {
  const jobs = [
    ...gatewayJobs(deployment, sources),
    ...engineJobs(sources),
    ...podJobs(deployment, sources),
    ...exporterJobs(sources),
  ];
  return yamlDocument(
    {
      global: { scrape_interval: INTERVAL, evaluation_interval: INTERVAL },
      ...(rules ? { rule_files: ["alerts.yaml"] } : {}),
      scrape_configs: jobs,
    },
    [
      `Prometheus for ${deployment.name}: what is scraped, and where. Rendered by Omni from omni.yaml (telemetry.metrics).`,
      "Start it with --config.file on this file; alerts.yaml is looked for beside it. README.md says how, and how to send alerts somewhere: an alertmanager is the owner's choice.",
      "The label `service` names the engine in omni.yaml; rules and dashboard go by it.",
      ...(sources.refused.length === 0
        ? []
        : [
            `Not scraped, because the plan refused them and they never start by themselves: ${sources.refused.map(({ name }) => name).join(", ")}.`,
          ]),
    ].join("\n"),
  );
}

/** Omni's own metrics, where it is no pod; pods are found by their annotations. */
function gatewayJobs({ gateway, runtime }: Deployment, sources: MetricSources): readonly ScrapeJob[] {
  if (!sources.gateway || runtime === "kubernetes" || gateway.metricsPath === undefined) return [];
  const host = runtime === "docker" ? gatewayHost(sources) : loopback(gateway.host);
  return [
    {
      job_name: "omni-gateway",
      // Its certificate is for the name that clients use.
      ...(gateway.tls ? { scheme: "https", tls_config: { insecure_skip_verify: true } } : {}),
      metrics_path: gateway.metricsPath,
      static_configs: [
        { targets: [`${bracketed(host)}:${gateway.port}`], labels: { service: "omni-gateway" } },
      ],
    },
  ];
}

/** The gateway's container is called `gateway` unless a service of the spec is. */
function gatewayHost({ docker }: MetricSources): string {
  const taken = new Set(docker.map(({ name }) => name));
  let name = "gateway";
  for (let turn = 2; taken.has(name); turn += 1) name = `gateway-${turn}`;
  return name;
}

const ANYWHERE = new Set(["0.0.0.0", "::", "localhost"]);
const loopback = (host: string): string => (ANYWHERE.has(host) ? "127.0.0.1" : host);
const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);

/** Engines in containers of this host and as processes of this machine, one job for each path that they use. */
function engineJobs({ services }: MetricSources): readonly ScrapeJob[] {
  const here = services.filter(({ service }) => service.runtime !== "kubernetes");
  const byPath = Map.groupBy(
    here.filter(({ metrics }) => metrics !== undefined),
    ({ metrics }) => metrics?.path ?? "",
  );
  return [...byPath].map(([path, members], index) => ({
    job_name: index === 0 ? "omni-engines" : `omni-engines-${index + 1}`,
    metrics_path: path,
    static_configs: members.map(staticTarget),
  }));
}

const staticTarget = ({ service, metrics }: WatchedService): StaticTarget => ({
  targets: [`${service.runtime === "docker" ? service.name : "127.0.0.1"}:${metrics?.port ?? service.port}`],
  labels: { service: service.name, engine: service.kind, model: service.planned.model.name },
});

/** Pods of this deployment that carry the annotations prometheus.io/*, found through the API server. */
function podJobs(
  deployment: Deployment,
  { clusters, gateway, services }: MetricSources,
): readonly ScrapeJob[] {
  const pods = services.some(
    ({ service, metrics }) => service.runtime === "kubernetes" && metrics !== undefined,
  );
  if (clusters.length === 0 || (!pods && !(gateway && deployment.runtime === "kubernetes"))) return [];
  if (deployment.telemetry.metrics.serviceMonitor) return [];
  const pod = "__meta_kubernetes_pod";
  const annotation = `${pod}_annotation_prometheus_io`;
  return [
    {
      job_name: "omni-pods",
      kubernetes_sd_configs: [
        { role: "pod", namespaces: { names: [...new Set(clusters.map(({ namespace }) => namespace))] } },
      ],
      relabel_configs: [
        {
          source_labels: [
            `${pod}_label_app_kubernetes_io_managed_by`,
            `${pod}_label_app_kubernetes_io_part_of`,
          ],
          separator: ";",
          regex: `omni;${labelText(deployment.name)}`,
          action: "keep",
        },
        { source_labels: [`${annotation}_scrape`], regex: "true", action: "keep" },
        {
          source_labels: [`${annotation}_path`],
          regex: "(.+)",
          target_label: "__metrics_path__",
          action: "replace",
        },
        // Several ports of a pod are several targets; all but the annotated one would fail.
        {
          source_labels: ["__address__", `${annotation}_port`],
          regex: String.raw`(.+?)(?::\d+)?;(\d+)`,
          replacement: "$1:$2",
          target_label: "__address__",
          action: "replace",
        },
        { source_labels: [`${pod}_label_app_kubernetes_io_instance`], target_label: "service" },
        { source_labels: [`${pod}_label_app_kubernetes_io_name`], target_label: "engine" },
        { source_labels: ["__meta_kubernetes_namespace"], target_label: "namespace" },
        { source_labels: [`${pod}_node_name`], target_label: "node" },
      ],
    },
  ];
}

/** Cards and hosts, by exporters of others. */
function exporterJobs({ dcgm, nodeExporter }: MetricSources): readonly ScrapeJob[] {
  return [
    ...(dcgm === "compose" ? [exporter("omni-cards", `${DCGM_NAME}:9400`)] : []),
    ...(dcgm === "operator" || dcgm === "daemonset" ? [dcgmPods(dcgm)] : []),
    ...(nodeExporter ? [exporter("omni-host", `${NODE_EXPORTER_NAME}:9100`)] : []),
  ];
}

const exporter = (job: string, target: string): ScrapeJob => ({
  job_name: job,
  static_configs: [{ targets: [target], labels: {} }],
});

/** The GPU operator labels its exporter `app`; the one rendered here follows the recommended labels. */
const dcgmPods = (by: "operator" | "daemonset"): ScrapeJob => ({
  job_name: "omni-cards",
  kubernetes_sd_configs: [{ role: "pod" }],
  relabel_configs: [
    {
      source_labels: [
        by === "operator"
          ? "__meta_kubernetes_pod_label_app"
          : "__meta_kubernetes_pod_label_app_kubernetes_io_name",
      ],
      regex: by === "operator" ? "nvidia-dcgm-exporter" : DCGM_NAME,
      action: "keep",
    },
    {
      source_labels: ["__meta_kubernetes_pod_ip"],
      regex: "(.+)",
      replacement: "$1:9400",
      target_label: "__address__",
      action: "replace",
    },
    { source_labels: ["__meta_kubernetes_pod_node_name"], target_label: "node" },
  ],
});
