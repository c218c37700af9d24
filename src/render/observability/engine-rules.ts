import { OMNI_METRICS } from "../../catalog/index.ts";
import type { DeployedService } from "../../deployment/index.ts";
import { promDuration, ruleText, selector } from "../escape/promql.ts";
import { alertRule } from "./rule.ts";
import type { AlertRule, RuleGroup } from "./rule.ts";
import type { MetricSources, WatchedService } from "./sources.ts";

/** Rules about every engine that starts by itself. */
export const engineRules = (sources: MetricSources): RuleGroup => ({
  name: "omni-engines",
  rules: [...sources.services.flatMap((watched) => rulesOf(watched, sources)), ...turnRules(sources)],
});

const rulesOf = (watched: WatchedService, sources: MetricSources): readonly AlertRule[] => [
  // Of services that take turns all but one are down, and that is as planned.
  ...(watched.service.turns === undefined ? [...down(watched, sources), ...restarts(watched, sources)] : []),
  ...kvCache(watched),
  ...preemptions(watched),
  ...queue(watched),
  ...stalled(watched),
];

/** The label that scraping puts on a target, by static configuration, relabelling or a ServiceMonitor alike. */
const of = ({ name }: DeployedService): Readonly<Record<string, string>> => ({ service: name });

/** How a service's log is read, by where it runs. */
function logCommand({ name, runtime, cluster }: DeployedService): string {
  switch (runtime) {
    case "docker":
      return `docker compose logs --tail 200 ${name}`;
    case "kubernetes":
      return `kubectl logs --all-namespaces -l app.kubernetes.io/instance=${name} --tail=200${cluster === undefined ? "" : ` (cluster ${cluster})`}`;
    case "process":
      return `./omni events, and journalctl -n 200 -u "omni*"`;
  }
}

/**
 * Down, twice: answering before and gone for minutes is an outage now; never up within the time that the plan gives it to
 * load is a start that fails. Engines without metrics are seen through the gateway's eyes.
 */
function down({ service, metrics }: WatchedService, { gateway }: MetricSources): readonly AlertRule[] {
  if (metrics === undefined && !gateway) return [];
  const name = ruleText(service.name);
  const seen =
    metrics === undefined
      ? selector(OMNI_METRICS.ready.name, { omni_service: service.name })
      : selector("up", of(service));
  const log = ruleText(logCommand(service));
  const load = promDuration(Math.max(service.loadTimeout, 300_000));
  return [
    alertRule({
      alert: "EngineDown",
      expr: `${seen} == 0 and max_over_time(${seen}[1h]) == 1`,
      lasts: "5m",
      severity: "page",
      service: service.name,
      summary: `${name} answered before and does not now`,
      action: `If it was restarted on purpose, it loads for up to ${load}. Otherwise its log says why it went: ${log}. Out of memory: a neighbour took the card (nvidia-smi), or the context is too long. Until it is back, routes with a fallback answer from there.`,
    }),
    alertRule({
      alert: "EngineNotStarting",
      expr: `${seen} == 0 or absent(${seen})`,
      lasts: load,
      severity: "page",
      service: service.name,
      summary: `${name} has not come up within ${load}`,
      action: `That is the time that the plan gives it to load. Its log: ${log}. No log: its image cannot be pulled, its weights are not there, or no node has its card. "No kernel image": the image lacks the card's architecture, images/build.sh verifies what it builds.`,
    }),
  ];
}

/** One rule a set of services that take turns on their cards: somebody of it has to be up. */
function turnRules({ services }: MetricSources): readonly AlertRule[] {
  const members = services.filter(
    ({ service, metrics }) => service.turns !== undefined && metrics !== undefined,
  );
  return [...Map.groupBy(members, ({ service }) => service.turns?.set ?? "")].map(([set, taking]) => {
    const names = taking.map(({ service }) => service.name);
    const load = promDuration(Math.max(300_000, ...taking.map(({ service }) => service.loadTimeout)));
    const standing = taking.find(({ service }) => service.turns?.standing)?.service.name ?? names[0] ?? "";
    return alertRule({
      alert: "NobodyOnTurn",
      expr: `absent(${names.map((name) => `${selector("up", { service: name })} == 1`).join(" or ")})`,
      lasts: load,
      severity: "page",
      service: names.join(", "),
      summary: `None of ${ruleText(names.join(", "))} is up, which take turns on their cards (${ruleText(set)})`,
      action: `One of them is meant to be loaded at any time, and loads within ${load}. Start the one that stands when nobody asks: ${ruleText(standing)}. If it finds no memory, another of them is still on the card: nvidia-smi.`,
    });
  });
}

/** Restarts: by Omni's own counter on the machine, elsewhere by how often the target went and came. */
function restarts({ service, metrics }: WatchedService, { node }: MetricSources): readonly AlertRule[] {
  if (!node && metrics === undefined) return [];
  return [
    alertRule({
      alert: "EngineRestarting",
      expr: node
        ? `increase(${selector(OMNI_METRICS.restarts.name, { omni_service: service.name })}[30m]) >= 3`
        : `changes(${selector("up", of(service))}[30m]) >= 6`,
      severity: "page",
      service: service.name,
      summary: `${ruleText(service.name)} was started again three times within half an hour`,
      action: `It comes up and dies. The last lines before each end say why: ${ruleText(logCommand(service))}. vLLM ends with exit code 0 when its engine core dies, so trust the log and not the code. Dying under load: fewer parallel requests or a shorter context in omni.yaml.`,
    }),
  ];
}

function kvCache({ service, names }: WatchedService): readonly AlertRule[] {
  if (names?.kvUsed === undefined) return [];
  const used = names.kvUsed.map((name) => selector(name, of(service))).join(" or ");
  return [
    alertRule({
      alert: "KvCacheNearlyFull",
      expr: `max by (service) (${used}) > 0.95`,
      lasts: "10m",
      severity: "ticket",
      service: service.name,
      summary: `The KV cache of ${ruleText(service.name)} is {{ $value | humanizePercentage }} full`,
      action: `Requests begin to wait or are computed twice. It holds ${service.planned.contextTokens} tokens for ${service.planned.parallel} requests at once: lower either in omni.yaml, store the cache in 8 bits, or give it another card. ./omni plan says what fits.`,
    }),
  ];
}

function preemptions({ service, names }: WatchedService): readonly AlertRule[] {
  if (names?.preempted === undefined) return [];
  const metric = selector(names.preempted.name, of(service));
  return [
    alertRule({
      alert: "RequestsPreempted",
      expr:
        names.preempted.type === "counter"
          ? `sum by (service) (rate(${metric}[15m])) * 60 > 1`
          : `avg by (service) (avg_over_time(${metric}[15m])) > 1`,
      lasts: "15m",
      severity: "ticket",
      service: service.name,
      summary: `${ruleText(service.name)} throws requests out of its cache and computes them again`,
      action:
        "Every one of them is paid for twice. Fewer parallel requests, a shorter context, or a cache of 8 bits; the answers themselves stay right.",
    }),
  ];
}

/** A queue at its bound grows no more and is the worst of all, so what is asked is whether it gets shorter. */
function queue({ service, names }: WatchedService): readonly AlertRule[] {
  if (names?.waiting === undefined) return [];
  const waiting = `sum by (service) (${selector(names.waiting, of(service))})`;
  const parallel = Math.max(1, service.planned.parallel);
  return [
    alertRule({
      alert: "QueueNotDraining",
      expr: `${waiting} > ${parallel} and ${waiting} >= 0.8 * max_over_time(${waiting}[30m:1m])`,
      lasts: "10m",
      severity: "ticket",
      service: service.name,
      summary: `{{ $value }} requests wait for ${ruleText(service.name)}, and they do not get fewer`,
      action: `It answers ${parallel} at once. A client in a loop shows in the gateway's requests by key (./omni status); honest load wants a replica or a route with a second service.`,
    }),
  ];
}

/** Says that it works and does nothing: vLLM's /version answered while every request hung (vLLM #39863). */
function stalled({ service, names }: WatchedService): readonly AlertRule[] {
  if (names?.running === undefined || names.progress === undefined) return [];
  const running = selector(names.running, of(service));
  return [
    alertRule({
      alert: "EngineStalled",
      expr: `sum by (service) (${running}) > 0 and sum by (service) (rate(${selector(names.progress, of(service))}[5m])) == 0`,
      lasts: "10m",
      severity: "page",
      service: service.name,
      summary: `${ruleText(service.name)} has requests and computes nothing`,
      action: `Health checks can still be green. nvidia-smi: a card at 0 % with memory full means the engine hangs, restart it; no card at all means the container lost it, and an Xid in dmesg says why. Log: ${ruleText(logCommand(service))}.`,
    }),
  ];
}
