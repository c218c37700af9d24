import { OmniError } from "../../core/index.ts";

/**
 * Escapes of systemd unit files (systemd.syntax(7), systemd.service(5) "Command lines"). Words go into double quotes with
 * C-style escapes; `%` begins a specifier everywhere, `$` a variable in command lines only. `at` is the place in omni.yaml
 * that errors name. All throw `OmniError` `render.unrepresentable`.
 */
const C_ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\u0007", "\\a"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\v", "\\v"],
  ["\\", "\\\\"],
  ['"', '\\"'],
]);

/** A word that nothing in a unit file treats in a special way. */
const HARMLESS = /^[A-Za-z0-9_./:=,@+-]+$/;

/** A word of a value that is unquoted with C escapes, such as one assignment of `Environment=`. */
function unitWord(text: string, at: string): string {
  checkText(text, at);
  if (HARMLESS.test(text)) return text;
  // oxlint-disable-next-line no-control-regex -- they are what is escaped
  const escaped = text.replaceAll(/[\u0000-\u001f\u007f"\\]/g, (character) => escapeOf(character));
  return `"${escaped.replaceAll("%", "%%")}"`;
}

const escapeOf = (character: string): string =>
  C_ESCAPES.get(character) ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;

/**
 * A command for `ExecStart=` and its relatives. The program is a path or a name that systemd looks for itself; it can
 * hold none of the signs that systemd reads there as prefix or variable.
 */
export function unitCommand(command: readonly [string, ...string[]], at: string): string {
  const [program, ...words] = command;
  if (!/^(?:\/[^$]*|[A-Za-z0-9_][^$/]*)$/.test(program)) {
    throw new OmniError(
      "render.unrepresentable",
      `${at}: systemd starts ${JSON.stringify(program)} neither as a path from the root nor as the name of a program.`,
      { hint: "Write the whole path, without $." },
    );
  }
  return [unitWord(program, at), ...words.map((word) => unitWord(word, at).replaceAll("$", "$$$$"))].join(
    " ",
  );
}

/** One assignment of `Environment=`; systemd takes no control characters there but tab and newline. */
export function unitAssignment(name: string, value: string, at: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    refuse(
      at,
      `${JSON.stringify(name)} is no name of a variable to systemd`,
      "Letters, digits, underscores.",
    );
  // oxlint-disable-next-line no-control-regex -- they are what is refused
  if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(value))
    refuse(at, "systemd takes no control characters in a variable's value", "Remove the character.");
  return unitWord(`${name}=${value}`, at);
}

/** A path of a list such as `ReadOnlyPaths=` or `BindPaths=`, which knows no C escapes. */
export function unitPath(path: string, at: string): string {
  checkAbsolute(path, at);
  if (HARMLESS.test(path) && !path.includes(":")) return path;
  return `"${path.replaceAll(/["\\]/g, String.raw`\$&`).replaceAll("%", "%%")}"`;
}

/** A path that is the whole rest of a line, where systemd knows no quotes: `LoadCredential=ID:PATH`, `append:PATH`. */
export function unitRestPath(path: string, at: string): string {
  checkAbsolute(path, at);
  if (path.endsWith(" ") || path.endsWith("\\"))
    refuse(
      at,
      `${JSON.stringify(path)} ends with a sign that systemd drops at the end of a line`,
      "Rename it.",
    );
  return path.replaceAll("%", "%%");
}

/** Free text such as `Description=`: for people, so control characters and the end of the line give way. */
export const unitText = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .replace(/[\s\\]+$/, "")
    .replaceAll("%", "%%");

function checkAbsolute(path: string, at: string): void {
  checkText(path, at);
  if (!path.startsWith("/"))
    refuse(
      at,
      `${JSON.stringify(path)} does not begin at the root`,
      "Write the whole path; ~ is no path to a service.",
    );
  if (/\p{Cc}/u.test(path))
    refuse(
      at,
      `${JSON.stringify(path)} has a control character, which a unit's path cannot hold`,
      "Rename it.",
    );
}

function checkText(text: string, at: string): void {
  if (text.includes("\0")) refuse(at, "no process can be given a NUL character", "Remove the character.");
  // systemd ignores whole lines with halves of surrogate pairs or with code points that Unicode keeps for no character.
  if (!text.isWellFormed() || /\p{Noncharacter_Code_Point}/u.test(text))
    refuse(at, "the text has a code point that is no character", "Remove the character.");
}

function refuse(at: string, why: string, hint: string): never {
  throw new OmniError("render.unrepresentable", `${at}: ${why}.`, { hint });
}
