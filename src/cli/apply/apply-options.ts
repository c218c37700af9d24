import { nearest, OmniError } from "../../core/index.ts";
import { PHASES } from "../../runbook/index.ts";
import type { Phase, Selection } from "../../runbook/index.ts";
import type { Invocation } from "../command.ts";

/** What a run of the runbook is told. */
export interface ApplyOptions {
  readonly selection: Selection;
  readonly dryRun: boolean;
  readonly yes: boolean;
  /** Tokens of what somebody agrees to. */
  readonly consents: readonly string[];
  readonly resume: boolean;
  readonly retryFallbacks: boolean;
  readonly json: boolean;
}

/** Throws OmniError `cli.bad-argument`. */
export const applyOptions = (invocation: Invocation): ApplyOptions => ({
  selection: { ...phaseOf(invocation.value("to")), only: invocation.values("only") },
  dryRun: invocation.flag("dry-run"),
  yes: invocation.flag("yes"),
  consents: invocation.values("consent"),
  resume: invocation.flag("resume"),
  retryFallbacks: invocation.flag("retry-fallbacks"),
  json: invocation.flag("json"),
});

function phaseOf(given: string | undefined): { readonly to?: Phase } {
  if (given === undefined) return {};
  const to = PHASES.find((phase) => phase === given);
  if (to !== undefined) return { to };
  const near = nearest(given, PHASES);
  throw new OmniError("cli.bad-argument", `There is no phase ${JSON.stringify(given)}.`, {
    hint: near === undefined ? `The phases are ${PHASES.join(", ")}.` : `Did you mean --to ${near}?`,
  });
}
