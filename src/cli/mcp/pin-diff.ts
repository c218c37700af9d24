import { structuredPatch } from "diff";

/** What a person cannot see, or what turns the direction of reading: a definition may hide orders to models in it. */
const HIDDEN = /[^\P{C}\n]|[\p{Zl}\p{Zp}\p{DI}\u2800]|[^\P{Zs} ]/gu;

/** One line of the difference. */
export interface DiffLine {
  readonly kind: "added" | "removed" | "same";
  readonly text: string;
}

/** The difference of two definitions of a tool, line by line, each text in lines of its own and hidden characters by number. */
export function pinDiff(accepted: string, offered: string): readonly DiffLine[] {
  const { hunks } = structuredPatch("accepted", "offered", written(accepted), written(offered), "", "", {
    context: 2,
  });
  return hunks.flatMap(({ lines }) =>
    lines
      .filter((line) => !line.startsWith("\\"))
      .map((line): DiffLine => {
        const [sign] = line;
        return { kind: sign === "+" ? "added" : sign === "-" ? "removed" : "same", text: line.slice(1) };
      }),
  );
}

/** A definition as a person reads it; what is no JSON is shown as it is. */
function written(definition: string): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(definition);
  } catch {
    return seen(definition);
  }
  return seen(
    linesOf(parsed, "")
      .map((line) => `${line}\n`)
      .join(""),
  );
}

const seen = (text: string): string =>
  text.replaceAll(HIDDEN, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);

/** `inputSchema.properties.path.type: "string"`; texts of several lines one below the other. */
function linesOf(value: unknown, path: string): string[] {
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value);
    if (members.length === 0) return [`${path}: ${Array.isArray(value) ? "[]" : "{}"}`];
    return members.flatMap(([name, member]) => linesOf(member, path === "" ? name : `${path}.${name}`));
  }
  if (typeof value !== "string" || !value.includes("\n")) return [`${path}: ${JSON.stringify(value)}`];
  return [`${path}:`, ...value.split("\n").map((line) => `  | ${line}`)];
}
