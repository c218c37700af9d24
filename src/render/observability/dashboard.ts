import { DCGM_METRICS, OMNI_METRICS } from "../../catalog/index.ts";
import type { Deployment } from "../../deployment/index.ts";
import { selector } from "../escape/promql.ts";
import { cardNames } from "./node-rules.ts";
import { placed } from "./panel.ts";
import type { Draft, Row } from "./panel.ts";
import type { MetricSources, WatchedService } from "./sources.ts";

const { requests, firstToken, interToken, queueTime, queued, running, ready, tokens } = OMNI_METRICS;

/** Rows of the dashboard: what clients see, each service, the cards. Empty where nothing is exported. */
function dashboardRows(sources: MetricSources): readonly Row[] {
  return [
    ...(sources.gateway ? [gatewayRow()] : []),
    ...sources.services.map((watched) => serviceRow(watched, sources)),
    ...cardRow(sources),
  ].filter(({ panels }) => panels.length > 0);
}

/** `dashboard.json`: a dashboard of Grafana with a row a service; its id in Grafana follows from the deployment's name. */
export function dashboardFile(deployment: Deployment, sources: MetricSources): string {
  const dashboard = {
    uid: uidOf(deployment.name),
    title: `Omni: ${deployment.name}`,
    description:
      "Rendered by Omni from omni.yaml (telemetry.metrics.dashboard); a change in Grafana is lost at the next import.",
    tags: ["omni"],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    timezone: "browser",
    templating: {
      list: [
        {
          name: "datasource",
          label: "Prometheus",
          type: "datasource",
          query: "prometheus",
          current: {},
          hide: 0,
        },
      ],
    },
    annotations: { list: [] },
    links: [],
    panels: placed(dashboardRows(sources)),
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

/** Grafana's uid: letters, digits, hyphen and underscore, at most 40. */
const uidOf = (name: string): string =>
  `omni-${name.replaceAll(/[^\w-]+/g, "-").replaceAll(/^-+|-+$/g, "")}`.slice(0, 40).replace(/-+$/, "");

const quantiles = (histogram: string) =>
  [0.5, 0.95].map((quantile) => ({
    expr: `histogram_quantile(${quantile}, sum by (le, omni_service) (rate(${histogram}_bucket[5m])))`,
    legend: `{{omni_service}} p${quantile * 100}`,
  }));

const gatewayRow = (): Row => ({
  title: "Gateway",
  panels: [
    {
      title: "Requests a second",
      about: "Answers by status; 5xx count against the error budget.",
      unit: "reqps",
      lines: [{ expr: `sum by (code) (rate(${requests.name}[5m]))`, legend: "{{code}}" }],
    },
    {
      title: "Time to first token",
      about: "Half and 95 % of requests get their first token within this time, waiting included.",
      unit: "s",
      lines: quantiles(firstToken.name),
    },
    {
      title: "Time between tokens",
      about: "Half and 95 % of a stream's events follow the one before within this time.",
      unit: "s",
      lines: quantiles(interToken.name),
    },
    {
      title: "Waiting",
      about: "Half and 95 % of requests wait no longer than this for a place or for their model.",
      unit: "s",
      lines: quantiles(queueTime.name),
    },
    {
      title: "Failed requests",
      about: "Share of answers with 5xx; the budget is 1 % a month.",
      unit: "percentunit",
      lines: [
        {
          expr: `sum(rate(${requests.name}{code=~"5.."}[5m])) / sum(rate(${requests.name}[5m]))`,
          legend: "failed",
        },
      ],
    },
  ],
});

/** One service: its engine's own numbers where it has some, else the gateway's. */
function serviceRow({ service, metrics, names }: WatchedService, { gateway }: MetricSources): Row {
  const own = { service: service.name };
  const seen = { omni_service: service.name };
  const panels: Draft[] = [];
  if (metrics !== undefined || gateway)
    panels.push({
      title: "Up",
      about: "1 while it answers.",
      unit: "none",
      type: "stat",
      lines: [
        metrics === undefined
          ? { expr: selector(ready.name, seen), legend: "ready" }
          : { expr: selector("up", own), legend: "up" },
      ],
    });
  const working = [
    ...line(names?.running, own, "running"),
    ...line(names?.waiting, own, "waiting"),
    ...(names?.running === undefined && names?.waiting === undefined && gateway
      ? [...line(running.name, seen, "running"), ...line(queued.name, seen, "waiting")]
      : []),
  ];
  if (working.length > 0)
    panels.push({
      title: "Requests",
      about: `Answered at once: ${service.planned.parallel}; the rest waits.`,
      unit: "none",
      lines: working,
    });
  const generated =
    names?.generated === undefined
      ? gateway && service.kind !== "comfyui"
        ? selector(tokens.name, { ...seen, direction: "generated" })
        : undefined
      : selector(names.generated, own);
  if (generated !== undefined)
    panels.push({
      title: "Tokens a second",
      about: "Generated, all requests together.",
      unit: "none",
      lines: [{ expr: `sum(rate(${generated}[5m]))`, legend: "generated" }],
    });
  if (names?.kvUsed !== undefined)
    panels.push({
      title: "KV cache",
      about: `Of ${service.planned.contextTokens} tokens a request at most; above 95 % requests wait or are computed twice.`,
      unit: "percentunit",
      max: 1,
      lines: names.kvUsed.map((name) => ({ expr: selector(name, own), legend: "used" })),
    });
  return { title: `${service.name}: ${service.planned.model.name} on ${service.kind}`, panels };
}

const line = (metric: string | undefined, labels: Readonly<Record<string, string>>, legend: string) =>
  metric === undefined ? [] : [{ expr: `sum(${selector(metric, labels)})`, legend }];

function cardRow(sources: MetricSources): readonly Row[] {
  const names = cardNames(sources);
  if (names === undefined || sources.cards.length === 0) return [];
  const legend = sources.dcgm === undefined ? "{{gpu}}" : "{{modelName}} {{gpu}}";
  const scale = names.scale === 1 ? "" : ` * ${names.scale}`;
  return [
    {
      title: "Cards",
      panels: [
        {
          title: "Memory used",
          about: `Bytes, by ${names.who}.`,
          unit: "bytes",
          lines: [{ expr: `${names.used}${scale}`, legend }],
        },
        {
          title: "Memory free",
          about: "What the next allocation has; the headroom of omni.yaml is kept here.",
          unit: "bytes",
          lines: [{ expr: `${names.free}${scale}`, legend }],
        },
        {
          title: "Temperature",
          about: "Of the processor.",
          unit: "celsius",
          lines: [{ expr: names.temperature, legend }],
        },
        ...(sources.dcgm === undefined
          ? []
          : [
              {
                title: "Power",
                about: "Drawn by each card.",
                unit: "watt",
                lines: [{ expr: DCGM_METRICS.power, legend }],
              },
              {
                title: "Utilization",
                about: "Share of time that some kernel runs; it says nothing about how much of the card.",
                unit: "percent",
                max: 100,
                lines: [{ expr: DCGM_METRICS.utilization, legend }],
              },
            ]),
        {
          title: "Last Xid",
          about: "0 is none; alerts.yaml says what each asks for.",
          unit: "none",
          lines: [{ expr: names.xid, legend }],
        },
      ],
    },
  ];
}
