import { OmniError } from "../../core/index.ts";

/**
 * A text as a string of PromQL in double quotes. Its escapes are Go's, so control characters are written as \xHH.
 * Source: https://prometheus.io/docs/prometheus/latest/querying/basics/#string-literals
 */
const promqlString = (text: string): string =>
  `"${text.replaceAll(/["\\]/g, String.raw`\$&`).replaceAll(CONTROLS, (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, "0")}`)}"`;

// oxlint-disable-next-line no-control-regex -- they are what is written as escapes
const CONTROLS = /[\u0000-\u001f\u007f]/g;

/** A selector: the metric and its labels, all compared for equality. */
export const selector = (metric: string, labels: Readonly<Record<string, string>> = {}): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${promqlString(value)}`);
  return pairs.length === 0 ? metric : `${metric}{${pairs.join(", ")}}`;
};

/** Free text in an annotation or label of a rule, where Prometheus would run what stands between double braces. */
export const ruleText = (text: string): string => text.replaceAll("{{", '{{ "{{" }}');

/** A whole number of milliseconds as a duration of Prometheus. Throws `OmniError` `render.unrepresentable` below zero. */
export function promDuration(milliseconds: number): string {
  if (!Number.isInteger(milliseconds) || milliseconds < 0)
    throw new OmniError("render.unrepresentable", `${milliseconds} ms is no duration of Prometheus.`);
  const seconds = Math.ceil(milliseconds / 1000);
  return seconds > 0 && seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`;
}
