import type { Diagnostic } from "../core/index.ts";
import { CODES } from "../core/index.ts";
import type { ServiceKeeper } from "./service-keeper.ts";

/** What its owner has to know about a service that failed for good. */
export function troubleOf({ state, name }: ServiceKeeper): Diagnostic[] {
  const { phase, failure } = state;
  if (phase !== "failed" || failure === undefined) return [];
  return [
    {
      code: failure.code,
      severity: "error",
      path: `services.${name}`,
      message: failure.message,
      hint: failure.hint === "" ? CODES[failure.code].remedy : failure.hint,
    },
  ];
}
