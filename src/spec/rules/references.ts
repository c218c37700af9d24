import { nearest } from "../../core/index.ts";
import type { SpecPath } from "../../core/spec-path.ts";
import type { Report } from "./rule.ts";

/** Reports a name that is none of the known ones. `what` names the kind of thing, `define` says how to define one. */
export function refer(
  report: Report,
  path: SpecPath,
  name: string,
  known: readonly string[],
  what: string,
  define: string,
): void {
  if (known.includes(name)) return;
  const near = nearest(name, known);
  const list =
    known.length === 0
      ? `the spec defines no ${what}`
      : `known: ${known.slice(0, 12).join(", ")}${known.length > 12 ? ", …" : ""}`;
  report({
    code: "spec.unknown-reference",
    path,
    message:
      near === undefined
        ? `no ${what} is named ${name}; ${list}`
        : `no ${what} is named ${name}; the nearest is ${near}`,
    hint: near ?? define,
  });
}
