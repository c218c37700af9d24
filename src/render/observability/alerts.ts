import type { Deployment } from "../../deployment/index.ts";
import { yamlDocument } from "../documents/yaml.ts";
import { engineRules } from "./engine-rules.ts";
import { gatewayRules } from "./gateway-rules.ts";
import { cardRules, hostRules } from "./node-rules.ts";
import type { RuleGroup } from "./rule.ts";
import type { MetricSources } from "./sources.ts";

/** All groups of this deployment that have a rule. */
export const ruleGroups = (deployment: Deployment, sources: MetricSources): readonly RuleGroup[] =>
  [
    engineRules(sources),
    ...gatewayRules(sources),
    ...cardRules(deployment, sources),
    ...hostRules(deployment, sources),
  ].filter(({ rules }) => rules.length > 0);

/** `alerts.yaml`: rules on metrics that this deployment exports, and on no other. */
export const alertsFile = (deployment: Deployment, sources: MetricSources): string =>
  yamlDocument(
    { groups: ruleGroups(deployment, sources) },
    [
      `Alerts of ${deployment.name}, rendered by Omni from omni.yaml (telemetry.metrics.alerts). prometheus.yaml loads this file; promtool check rules checks it.`,
      "severity: page wakes somebody up, ticket waits until morning, info is for whoever looks. The description of each alert says what to do.",
      `Cards are watched by ${cardWatch(sources)}; disks and main memory by ${hostWatch(sources)}.`,
    ].join("\n"),
  );

function cardWatch({ dcgm, node, cards }: MetricSources): string {
  if (cards.length === 0) return "nobody, because no service has one";
  if (dcgm === undefined) return node ? "Omni itself" : "nobody: nothing here exports them";
  return {
    operator: "the GPU operator's dcgm-exporter",
    daemonset: "dcgm-exporter (dcgm-exporter.yaml)",
    compose: "dcgm-exporter (compose.yaml)",
  }[dcgm];
}

const hostWatch = ({ nodeExporter, node }: MetricSources): string =>
  nodeExporter ? "node-exporter (compose.yaml)" : node ? "Omni itself" : "nobody: nothing here exports them";
