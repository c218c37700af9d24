import type { SpecPath } from "../../core/spec-path.ts";
import type { ParsedSpec } from "../schema.ts";
import type { RuleContext } from "./rule.ts";

type Machine = NonNullable<ParsedSpec["metal"]>;
type Guest = NonNullable<ParsedSpec["guest"]>;

interface Located<T> {
  /** Name under machines or guests; absent for the only one. */
  readonly name?: string;
  readonly value: T;
  readonly path: SpecPath;
}

/** The machine or machines of a spec, whichever way they were written. */
export const machinesOf = (spec: ParsedSpec): Located<Machine>[] => [
  ...(spec.metal === undefined ? [] : [{ value: spec.metal, path: ["metal"] }]),
  ...Object.entries(spec.machines ?? {}).map(([name, value]) => ({ name, value, path: ["machines", name] })),
];

/** The guest or guests of a spec. */
export const guestsOf = (spec: ParsedSpec): Located<Guest>[] => [
  ...(spec.guest === undefined ? [] : [{ value: spec.guest, path: ["guest"] }]),
  ...Object.entries(spec.guests ?? {}).map(([name, value]) => ({ name, value, path: ["guests", name] })),
];

/** Names of cards or disks by machine, faulty ones included. */
export function namesByMachine(
  context: RuleContext,
  part: "gpus" | "disks",
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  const own = context.names("metal", part);
  if (own.length > 0) found.set("metal", own);
  for (const machine of context.names("machines"))
    found.set(machine, context.names("machines", machine, part));
  return found;
}
