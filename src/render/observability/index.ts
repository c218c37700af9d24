import type { Diagnostic } from "../../core/index.ts";
import type { Deployment } from "../../deployment/index.ts";
import type { Artifact, Rendered, Target } from "../artifact.ts";
import { alertsFile, ruleGroups } from "./alerts.ts";
import { dashboardFile } from "./dashboard.ts";
import { dcgmDaemonSet, monitoringCompose } from "./exporters.ts";
import { observabilityReadme } from "./readme.ts";
import { prometheusConfig } from "./scrape.ts";
import { metricSources } from "./sources.ts";
import type { MetricSources } from "./sources.ts";

/**
 * Observability: what Prometheus scrapes, what it alerts on and what Grafana shows, written from who exports what in this
 * very deployment: no rule stands on a metric that nobody exports. Exporters of cards and disks come along where nothing
 * else brings them. Never here: who is told, which is an Alertmanager's business.
 */
export const observability: Target = {
  name: "observability",
  about:
    "Prometheus: what is scraped and what raises an alert; a Grafana dashboard; exporters where none are there.",
  wanted: ({ telemetry, services }) => telemetry.metrics.enabled && services.length > 0,
  render: renderObservability,
};

function renderObservability(deployment: Deployment): Rendered {
  const sources = metricSources(deployment);
  const { metrics } = deployment.telemetry;
  const alerts = metrics.alerts && ruleGroups(deployment, sources).length > 0;
  const dashboard = metrics.dashboard;
  const artifacts: Artifact[] = [];
  const add = (path: string, content: string, reason: string): void => {
    artifacts.push({ path: `observability/${path}`, content, mode: 0o644, reason });
  };
  add(
    "README.md",
    observabilityReadme(deployment, sources, { alerts, dashboard }),
    "asked for by telemetry.metrics: how the files are put to use, and who exports what",
  );
  add(
    "prometheus.yaml",
    prometheusConfig(deployment, sources, alerts),
    "asked for by telemetry.metrics: where Prometheus finds every metric",
  );
  if (alerts)
    add(
      "alerts.yaml",
      alertsFile(deployment, sources),
      "asked for by telemetry.metrics.alerts: rules with what to do",
    );
  if (dashboard)
    add(
      "dashboard.json",
      dashboardFile(deployment, sources),
      "asked for by telemetry.metrics.dashboard: a dashboard of Grafana",
    );
  if (sources.nodeExporter)
    add(
      "compose.yaml",
      monitoringCompose(deployment, sources),
      "asked for by telemetry.metrics: Prometheus and the exporters that watch cards and disks of a Docker host",
    );
  const [cluster] = sources.clusters;
  if (sources.dcgm === "daemonset" && cluster !== undefined)
    add(
      "dcgm-exporter.yaml",
      dcgmDaemonSet(deployment, cluster),
      "asked for by telemetry.metrics: cards of a cluster without a GPU operator",
    );
  return { artifacts, diagnostics: [...unwatched(sources), ...surroundings(deployment, sources)] };
}

/** What the owner may take for watched and is not. */
function unwatched(sources: MetricSources): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  const note = (path: string, message: string, hint: string): void => {
    found.push({ code: "render.not-applicable", severity: "note", path, message, hint });
  };
  if (sources.cards.length > 0 && sources.dcgm === undefined && !sources.node)
    note(
      "telemetry.metrics",
      "Nothing in this deployment exports the cards' memory, temperature and Xids, so no alert watches them.",
      "Run dcgm-exporter beside it, or switch the gateway's metrics on.",
    );
  if (!sources.nodeExporter && !sources.node)
    note(
      "policies.headroom.disk",
      "No component of this deployment exports the nodes' disks and main memory, so no alert watches them.",
      "Install node-exporter in the cluster (kube-prometheus-stack brings it).",
    );
  const unnamed = sources.cards.filter(({ uuid }) => uuid === undefined);
  if (unnamed.length > 0 && (sources.dcgm !== undefined || sources.node))
    note(
      "metal.gpus",
      `No alert says when one of these cards is lost, because the spec has no UUID of theirs: ${unnamed.map(({ name }) => name).join(", ")}.`,
      "nvidia-smi -L prints them: metal.gpus.NAME.uuid.",
    );
  if (sources.refused.length > 0)
    note(
      "telemetry.metrics",
      `Not scraped and not watched, because the plan refused them: ${sources.refused.map(({ name }) => name).join(", ")}.`,
      "./omni plan says why; they are watched as soon as they fit.",
    );
  return found;
}

/** What the monitoring itself changes around it, or cannot do there. */
function surroundings(deployment: Deployment, sources: MetricSources): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  const joined = new Set(sources.docker.flatMap(({ networks }) => networks));
  for (const { name, internal, isolation } of deployment.networks) {
    if (!joined.has(name) || (!internal && isolation === "none")) continue;
    found.push({
      code: "render.not-applicable",
      severity: "note",
      path: `networks.${name}`,
      message: `Prometheus joins ${name} beside the gateway, because nobody else can ask the engines there; it forwards nothing and publishes its port on 127.0.0.1 alone.`,
      hint: "Whoever is not to be there either: leave observability/compose.yaml away, and the engines of that network go unscraped.",
    });
  }
  const machines = new Set(sources.docker.map(({ machine }) => machine ?? ""));
  if (machines.size > 1)
    found.push({
      code: "render.not-applicable",
      severity: "warning",
      path: "telemetry.metrics",
      message: `Engines run in Docker on ${machines.size} machines, and prometheus.yaml finds them by container name, which works on one: those of the others stay unscraped.`,
      hint: "Run the monitoring project on each machine.",
    });
  const [cluster] = sources.clusters;
  if (sources.dcgm === "daemonset" && cluster?.podSecurity === "restricted")
    found.push({
      code: "render.not-applicable",
      severity: "warning",
      path: "runtime.kubernetes.podSecurity",
      message: `dcgm-exporter runs as root, which the namespace ${cluster.namespace} refuses at level restricted: no pod of it will start there.`,
      hint: "Apply it in a namespace of its own at level baseline; Prometheus finds it by its label anywhere.",
    });
  return found;
}
