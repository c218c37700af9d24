import type { FamilySnapshot, HistogramSnapshot, MetricHead, MetricsSnapshot } from "./snapshot.ts";

/** Forms in which Prometheus reads metrics: its text format 0.0.4, and OpenMetrics 1.0.0. */
export type MetricsFormat = "text" | "openmetrics";

export const METRICS_MEDIA_TYPES: Readonly<Record<MetricsFormat, string>> = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** The form that an Accept header prefers; the text format where it says nothing or both are equal. */
export function metricsFormat(accept: string | undefined): MetricsFormat {
  let text = accept === undefined ? 1 : 0;
  let openmetrics = 0;
  for (const range of (accept ?? "").split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const weight = Number(parameters.find((part) => part.startsWith("q="))?.slice(2) ?? 1);
    if (!(weight > 0)) continue;
    const version = parameters.find((part) => part.startsWith("version="))?.slice(8);
    if (type === "application/openmetrics-text" && (version === undefined || version.startsWith("1."))) {
      openmetrics = Math.max(openmetrics, weight);
    } else if (type === "text/plain" || type === "text/*" || type === "*/*") text = Math.max(text, weight);
  }
  return openmetrics > text ? "openmetrics" : "text";
}

/** The metrics as Prometheus reads them. Metrics without a series are left out. */
export function renderMetrics(snapshot: MetricsSnapshot, format: MetricsFormat): string {
  const lines: string[] = [];
  for (const family of snapshot) {
    if (family.values.length === 0 && family.histograms.length === 0) continue;
    head(lines, family.metric, format);
    series(lines, family, format);
  }
  if (format === "openmetrics") lines.push("# EOF");
  return `${lines.join("\n")}\n`;
}

/** OpenMetrics names a counter without the `_total` that its samples end in, and escapes quotes in the help too. */
function head(lines: string[], { name, type, help }: MetricHead, format: MetricsFormat): void {
  const open = format === "openmetrics";
  const shown = open && type === "counter" ? name.replace(/_total$/, "") : name;
  const escaped = help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  lines.push(`# HELP ${shown} ${open ? escaped.replaceAll('"', '\\"') : escaped}`, `# TYPE ${shown} ${type}`);
}

function series(
  lines: string[],
  { metric, values, histograms }: FamilySnapshot,
  format: MetricsFormat,
): void {
  const total = format === "openmetrics" && metric.type === "counter" && !metric.name.endsWith("_total");
  const name = total ? `${metric.name}_total` : metric.name;
  for (const { labels, value } of values) {
    lines.push(`${name}${braces(pairs(metric, labels))} ${number(value)}`);
  }
  for (const one of histograms) histogram(lines, metric, one, format);
}

function histogram(
  lines: string[],
  metric: MetricHead,
  { labels, counts, sum }: HistogramSnapshot,
  format: MetricsFormat,
): void {
  const own = pairs(metric, labels);
  const bounds = [...(metric.buckets ?? []), Number.POSITIVE_INFINITY];
  let below = 0;
  for (const [index, bound] of bounds.entries()) {
    below += counts[index] ?? 0;
    const shown = format === "openmetrics" && Number.isInteger(bound) ? `${bound}.0` : number(bound);
    lines.push(`${metric.name}_bucket${braces([...own, `le="${shown}"`])} ${below}`);
  }
  lines.push(
    `${metric.name}_sum${braces(own)} ${number(sum)}`,
    `${metric.name}_count${braces(own)} ${below}`,
  );
}

/** A label without a value is the same as none. */
const pairs = ({ labels: names }: MetricHead, values: readonly string[]): readonly string[] =>
  names.flatMap((name, index) => {
    const value = values[index] ?? "";
    return value === "" ? [] : [`${name}="${escapeLabel(value)}"`];
  });

const escapeLabel = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

const braces = (all: readonly string[]): string => (all.length === 0 ? "" : `{${all.join(",")}}`);

const number = (value: number): string =>
  Number.isNaN(value) ? "NaN" : Number.isFinite(value) ? String(value) : value > 0 ? "+Inf" : "-Inf";
