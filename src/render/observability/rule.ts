import { ruleText } from "../escape/promql.ts";

/** `page` wakes somebody up, `ticket` waits until morning, `info` is for whoever looks. */
export type Severity = "page" | "ticket" | "info";

/** An alerting rule as Prometheus reads it. */
export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: { readonly summary: string; readonly description: string };
}

export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly AlertRule[];
}

interface Wanted {
  readonly alert: string;
  readonly expr: string;
  /** Milliseconds, as text of Prometheus: `10m`. */
  readonly lasts?: string;
  readonly severity: Severity;
  /** Service of the spec that it is about. */
  readonly service?: string;
  /** Card of the spec that it is about. */
  readonly card?: string;
  /** What is the case, in one line. */
  readonly summary: string;
  /** What to do at two in the morning; `{{ $labels… }}` and `{{ $value }}` are Prometheus' own. */
  readonly action: string;
}

/** A rule of this deployment. Texts of the spec go through `ruleText` where they are put together. */
export const alertRule = ({
  alert,
  expr,
  lasts,
  severity,
  service,
  card,
  summary,
  action,
}: Wanted): AlertRule => ({
  alert,
  expr,
  ...(lasts === undefined ? {} : { for: lasts }),
  labels: {
    severity,
    ...(service === undefined ? {} : { omni_service: ruleText(service) }),
    ...(card === undefined ? {} : { omni_card: ruleText(card) }),
  },
  annotations: { summary, description: action },
});
