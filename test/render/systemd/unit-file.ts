/**
 * A small reader of systemd unit files, written from systemd.syntax(7) and systemd.service(5) and not from the writer:
 * lines, comments, sections; words with quotes and C escapes; specifiers and variables.
 */

/** Values of every key of every section in order: `read.get("Service")?.get("ExecStart")`. */
export type UnitValues = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

/** Throws on a line that systemd would complain about. */
export function readUnit(text: string): UnitValues {
  const sections = new Map<string, Map<string, string[]>>();
  let current: Map<string, string[]> | undefined;
  // systemd ends a line at each of these.
  const lines = text.split(/[\n\r\0]/);
  for (let at = 0; at < lines.length; at += 1) {
    let line = (lines[at] ?? "").trim();
    if (line === "" || line.startsWith("#") || line.startsWith(";")) continue;
    while (line.endsWith("\\")) {
      at += 1;
      line = `${line.slice(0, -1)} ${(lines[at] ?? "").trim()}`;
    }
    const section = /^\[([A-Z][A-Za-z]*)\]$/.exec(line);
    if (section !== null) {
      current = new Map();
      sections.set(section[1] ?? "", current);
      continue;
    }
    const entry = /^([A-Za-z]+)=(.*)$/s.exec(line);
    if (entry === null || current === undefined) throw new Error(`not a line of a unit: ${line}`);
    const key = entry[1] ?? "";
    current.set(key, [...(current.get(key) ?? []), (entry[2] ?? "").trim()]);
  }
  return sections;
}

const SIMPLE: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
  "'": "'",
  s: " ",
};

/** Words as systemd splits them: blanks outside quotes, C escapes everywhere unless `plain`; a lone ; ends the command. */
export function words(value: string, escapes: "c" | "plain" = "c", separators = " \t\n\r"): string[] {
  const found: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let at = 0; at < value.length; at += 1) {
    const sign = value[at] ?? "";
    if (sign === "\\") {
      const hex = escapes === "c" ? /^x([0-9a-f]{2})/i.exec(value.slice(at + 1)) : null;
      if (hex !== null) {
        word = (word ?? "") + String.fromCharCode(Number.parseInt(hex[1] ?? "", 16));
        at += 3;
        continue;
      }
      at += 1;
      const escaped = value[at] ?? "";
      const meant = escapes === "c" ? SIMPLE[escaped] : escaped;
      if (meant === undefined || escaped === "") throw new Error(`not an escape: \\${escaped} in ${value}`);
      word = (word ?? "") + meant;
    } else if (quote !== undefined) {
      if (sign === quote) quote = undefined;
      else word = (word ?? "") + sign;
    } else if (sign === '"' || sign === "'") {
      quote = sign;
      word ??= "";
    } else if (separators.includes(sign)) {
      if (word !== undefined) found.push(word);
      word = undefined;
    } else {
      if (sign === ";" && word === undefined && /^;(?:\s|$)/.test(value.slice(at)))
        throw new Error(`a second command begins in ${value}`);
      word = (word ?? "") + sign;
    }
  }
  if (quote !== undefined) throw new Error(`a quote is not closed in ${value}`);
  if (word !== undefined) found.push(word);
  return found;
}

/** Without specifiers: `%%` is a percent sign, anything else after one would be replaced by systemd. */
export function noSpecifiers(text: string): string {
  return text.replaceAll(/%(.?)/gs, (_all, next: string) => {
    if (next !== "%") throw new Error(`a specifier: %${next} in ${text}`);
    return "%";
  });
}

/** A command line as the program gets it: words, no specifiers, no variables. */
export const commandWords = (value: string): string[] => {
  const [program = "", ...rest] = words(value).map(noSpecifiers);
  return [
    program,
    ...rest.map((word) =>
      word.replaceAll(/\$(.?)/gs, (_all, next: string) => {
        if (next !== "$") throw new Error(`a variable: $${next} in ${word}`);
        return "$";
      }),
    ),
  ];
};
