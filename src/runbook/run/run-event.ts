import type { Consent, StepProgress } from "../step.ts";
import type { Outcome } from "./result.ts";

/** What a run tells while it is at work; secrets are taken out. Durations are milliseconds. */
export type RunEvent =
  | { readonly kind: "begun"; readonly step: string; readonly title: string }
  | { readonly kind: "applying"; readonly step: string }
  | { readonly kind: "progress"; readonly step: string; readonly progress: StepProgress }
  | { readonly kind: "drift"; readonly step: string; readonly missing: string; readonly since: number }
  | { readonly kind: "changed"; readonly step: string }
  | { readonly kind: "retry"; readonly step: string; readonly message: string; readonly pause: number }
  | { readonly kind: "consent"; readonly step: string; readonly consent: Consent; readonly by: string }
  | { readonly kind: "note"; readonly step: string; readonly text: string }
  | { readonly kind: "fallback"; readonly step: string; readonly text: string; readonly reason: string }
  | { readonly kind: "ended"; readonly step: string; readonly outcome: Outcome };
