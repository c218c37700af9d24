import type { McpRules } from "../../keys/caller.ts";
import { matches } from "../../keys/tool-scope.ts";

type Arguments = Readonly<Record<string, unknown>>;

/** What one argument of a tool must look like for one key. */
export interface ArgumentRule {
  /** As the owner wrote it: a name, or names with dots into nested objects. */
  readonly name: string;
  readonly glob: string;
}

/** The rules that hold for a tool, by any of the names that a glob may speak of. */
export function rulesFor(rules: McpRules["arguments"], names: readonly string[]): readonly ArgumentRule[] {
  if (rules === undefined) return [];
  return Object.entries(rules)
    .filter(([glob]) => names.some((name) => matches(glob, name)))
    .flatMap(([, byName]) => Object.entries(byName).map(([name, glob]) => ({ name, glob })));
}

/**
 * The first rule that the arguments break. An argument that has a rule must be there; of a list every element must match,
 * and an empty one does not, because to many tools it means everything. Numbers and booleans count as their text, objects
 * and null as nothing. Where both a name with dots and the nested value exist, both must match: nobody knows which of
 * them the tool reads.
 */
export const brokenRule = (rules: readonly ArgumentRule[], args: Arguments): ArgumentRule | undefined =>
  rules.find(({ name, glob }) => {
    const found = valuesAt(args, name);
    return found.length === 0 || !found.every((value) => fits(value, glob));
  });

function valuesAt(value: unknown, path: string): readonly unknown[] {
  if (Array.isArray(value)) {
    const each = value.map((element) => valuesAt(element, path));
    // One element without it is one that the rule does not see.
    return each.some((found) => found.length === 0) ? [] : each.flat();
  }
  if (!isRecord(value)) return [];
  const found: unknown[] = Object.hasOwn(value, path) ? [value[path]] : [];
  for (let at = path.indexOf("."); at > 0; at = path.indexOf(".", at + 1)) {
    const head = path.slice(0, at);
    if (Object.hasOwn(value, head)) found.push(...valuesAt(value[head], path.slice(at + 1)));
  }
  return found;
}

function fits(value: unknown, glob: string): boolean {
  if (Array.isArray(value)) return value.length > 0 && value.every((element) => fits(element, glob));
  if (typeof value === "string") return matches(glob, value) && !climbs(value, glob);
  if (typeof value === "number" || typeof value === "boolean") return matches(glob, String(value));
  return false;
}

/**
 * `reports/../secrets` matches `reports/*` and is not in it. Under a glob with a slash no part of the way may be `.` or `..`,
 * nor become one by percent decoding or compatibility characters, and no control character may end the way early.
 */
function climbs(text: string, glob: string): boolean {
  if (!glob.includes("/") || !glob.includes("*")) return false;
  if (/\p{Cc}/u.test(text)) return true;
  return everDecoded(text)
    .split(/[/\\]/)
    .some((part) => /^\.{1,2}$/.test(part.trim()));
}

/** Percent signs decoded until nothing changes, a few times: some tools decode once, some twice. */
function everDecoded(text: string): string {
  let now = text.normalize("NFKC");
  for (let round = 0; round < 4; round++) {
    const next = now.replaceAll(/%(2e|2f|5c|25)/gi, (_, hex: string) =>
      String.fromCodePoint(Number.parseInt(hex, 16)),
    );
    if (next === now) return now;
    now = next;
  }
  return now;
}

const isRecord = (value: unknown): value is Arguments => typeof value === "object" && value !== null;
