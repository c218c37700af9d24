import { OMNI_METRICS, XIDS_SOURCE } from "../../catalog/index.ts";
import type { Deployment } from "../../deployment/index.ts";
import { ruleGroups } from "./alerts.ts";
import type { MetricSources } from "./sources.ts";

/** A text within a line of Markdown as code, without breaks. */
const code = (text: string): string =>
  `\`${text.replaceAll(/\s+/g, " ").replaceAll("`", "'").replaceAll("|", "\\|")}\``;

interface Written {
  readonly alerts: boolean;
  readonly dashboard: boolean;
}

/** `observability/README.md`: how the files are put to use, and what each alert is about. */
export function observabilityReadme(
  deployment: Deployment,
  sources: MetricSources,
  written: Written,
): string {
  const groups = ruleGroups(deployment, sources);
  return [
    `# Watching ${code(deployment.name)}`,
    "",
    "Rendered by Omni from omni.yaml (telemetry.metrics).",
    "",
    ...start(deployment, sources),
    ...(written.dashboard
      ? ["* `dashboard.json`: in Grafana, Dashboards → New → Import; it asks for the Prometheus once."]
      : []),
    ...(written.alerts
      ? [
          "* `alerts.yaml`: loaded by prometheus.yaml. Who is told is decided by an Alertmanager: Prometheus takes its address from nowhere but its own configuration, so start Prometheus with a copy of prometheus.yaml beside it, own.yaml, that has it under `alerting` (an edit of prometheus.yaml itself would be in the way of the next rendering). `severity` is page, ticket or info.",
        ]
      : []),
    "",
    "## Who exports what",
    "",
    "| what | by | watched |",
    "|---|---|---|",
    `| requests, first token, errors | Omni's gateway, ${sources.gateway ? code(deployment.gateway.metricsPath ?? "") : "switched off"} | ${sources.gateway ? "yes" : "no"} |`,
    ...sources.services.map(
      ({ service, metrics, names }) =>
        `| ${code(service.name)} | ${metrics === undefined ? `${service.kind} exports nothing; the gateway says whether it answers` : `${service.kind}, ${code(metrics.path)}`} | ${metrics === undefined ? "up" : ["up", ...(names?.waiting === undefined ? [] : ["queue"]), ...(names?.kvUsed === undefined ? [] : ["KV cache"])].join(", ")} |`,
    ),
    `| cards | ${sources.cards.length === 0 ? "none in use" : sources.dcgm === undefined ? (sources.node ? "Omni" : "nobody") : "dcgm-exporter"} | ${sources.cards.length > 0 && (sources.dcgm !== undefined || sources.node) ? "yes" : "no"} |`,
    `| disks, main memory | ${sources.nodeExporter ? "node-exporter" : sources.node ? "Omni" : "nobody"} | ${sources.nodeExporter || sources.node ? "yes" : "no"} |`,
    "",
    ...(written.alerts
      ? [
          "## Alerts",
          "",
          "| alert | severity | for |",
          "|---|---|---|",
          ...groups.flatMap(({ rules }) => [
            ...new Set(
              rules.map(
                ({ alert, labels, for: lasts }) =>
                  `| ${alert} | ${labels["severity"] ?? ""} | ${lasts ?? "at once"} |`,
              ),
            ),
          ]),
          "",
          ...(sources.cards.length > 0
            ? [`What an Xid asks for: ${XIDS_SOURCE.source} (${XIDS_SOURCE.date}).`, ""]
            : []),
        ]
      : []),
    "## Omni's own metrics",
    "",
    "| name | type | labels | meaning |",
    "|---|---|---|---|",
    ...Object.values(OMNI_METRICS)
      .filter(({ exportedBy }) => exportedBy === "gateway" || sources.node)
      .map(({ name, type, labels, help }) => `| \`${name}\` | ${type} | ${labels.join(", ")} | ${help} |`),
    "",
  ].join("\n");
}

function start({ telemetry, runtime }: Deployment, sources: MetricSources): readonly string[] {
  if (sources.nodeExporter)
    return [
      "* `docker compose -f compose.yaml up -d` starts Prometheus, node-exporter and, where there are cards, dcgm-exporter; start the engines' project first, its networks are joined.",
    ];
  if (sources.clusters.length > 0)
    return [
      ...(sources.dcgm === "daemonset" ? ["* `kubectl apply -f dcgm-exporter.yaml`"] : []),
      telemetry.metrics.serviceMonitor
        ? "* Prometheus finds the engines by their ServiceMonitors; prometheus.yaml holds what these do not cover. Load alerts.yaml as `additionalPrometheusRulesMap` of kube-prometheus-stack, or as a PrometheusRule: its `spec` is this file."
        : "* A Prometheus in the cluster reads prometheus.yaml and finds pods by their annotations; it needs a ServiceAccount that may list pods.",
    ];
  return [
    `* On the machine itself: \`prometheus --config.file=prometheus.yaml\`${runtime === "process" ? " (Debian's package is called prometheus)" : ""}.`,
  ];
}
