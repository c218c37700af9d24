import { OMNI_METRICS } from "../../catalog/index.ts";
import { ruleText, selector } from "../escape/promql.ts";
import { alertRule } from "./rule.ts";
import type { AlertRule, RuleGroup } from "./rule.ts";
import type { MetricSources } from "./sources.ts";

/** Share of requests that may fail: one in a hundred. */
const BUDGET = 0.01;
/** Seconds until the first token that people call an outage. */
const SLOW = 30;

/**
 * Budget burnt in two windows at once, so that a rule fires soon and ends soon (Google's SRE Workbook, chapter 5): at 14.4
 * times the rate a month's budget is gone in two days, at 6 times in five.
 */
const BURNS = [
  { factor: 14.4, long: "1h", short: "5m", severity: "page" },
  { factor: 6, long: "6h", short: "30m", severity: "ticket" },
] as const;

const { build, requests, firstToken, ladder } = OMNI_METRICS;

/** Rules about what clients see; none where the gateway exports no metrics. */
export function gatewayRules(sources: MetricSources): readonly RuleGroup[] {
  if (!sources.gateway) return [];
  return [{ name: "omni-gateway", rules: [down(), ...BURNS.map(burn), slow(), ...degraded(sources)] }];
}

const down = (): AlertRule =>
  alertRule({
    alert: "GatewayDown",
    expr: `absent(${build.name})`,
    lasts: "5m",
    severity: "page",
    summary: "Omni's gateway exports nothing: no client reaches any engine through it",
    action:
      "Is it running (docker ps, kubectl get pods, systemctl status omni)? Its last lines say why it ended. Engines go on without it; clients can be pointed at one of them directly for the time being.",
  });

function burn({ factor, long, short, severity }: (typeof BURNS)[number]): AlertRule {
  const share = (window: string): string =>
    `sum(rate(${requests.name}{code=~"5.."}[${window}])) / sum(rate(${requests.name}[${window}]))`;
  const limit = Number((factor * BUDGET).toFixed(4));
  return alertRule({
    alert: "ErrorBudgetBurn",
    expr: `${share(long)} > ${limit} and ${share(short)} > ${limit}`,
    severity,
    summary: `{{ $value | humanizePercentage }} of requests fail, within ${short} and within ${long}`,
    action: `At this rate the budget of ${BUDGET * 100} % a month is gone in ${factor > 10 ? "two" : "five"} days. Which service: sum by (omni_service, code) (rate(${requests.name}{code=~"5.."}[${short}])). 502 and 504 are engines that broke, 503 are routes without a ready service, 500 is the gateway itself.`,
  });
}

const slow = (): AlertRule =>
  alertRule({
    alert: "FirstTokenSlow",
    expr: `histogram_quantile(0.95, sum by (le, omni_service) (rate(${firstToken.name}_bucket[15m]))) > ${SLOW}`,
    lasts: "15m",
    severity: "ticket",
    summary: `One in twenty requests to {{ $labels.omni_service }} waits {{ $value | humanizeDuration }} for its first token`,
    action:
      "Either they queue (QueueNotDraining says so), or prompts are long: a prompt is computed before its first token. Long prompts by themselves are served better by a route of their own.",
  });

/** Steps of the ladder keep a service alive at a price; that nobody notices is the price's other half. */
const degraded = ({ services }: MetricSources): readonly AlertRule[] =>
  services
    .filter(({ service }) => (service.planned.ladder?.length ?? 0) > 0)
    .map(({ service }) =>
      alertRule({
        alert: "ServiceDegraded",
        expr: `${selector(ladder.name, { omni_service: service.name })} > 0`,
        lasts: "30m",
        severity: "info",
        service: service.name,
        summary: `${ruleText(service.name)} runs {{ $value }} steps below plan`,
        action: `Memory ran short and Omni stepped down: ${ruleText((service.planned.ladder ?? []).map(({ change }) => change).join(", then "))}. It steps up again by itself; for half an hour it could not. ./omni events says which step and why.`,
      }),
    );
