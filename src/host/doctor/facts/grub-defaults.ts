import { readText } from "../../../inventory/cgroup.ts";
import { namesIn } from "../../../inventory/folder.ts";
import { parseArguments } from "./kernel-arguments.ts";

const NAMES = ["GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT"] as const;
const ASSIGNMENT = /^\s*(?:export\s+)?(GRUB_CMDLINE_LINUX(?:_DEFAULT)?)(\+?=)(.*)$/;

/** The boot line that GRUB's generator would write, or the text that only a shell could understand. */
export type GrubLine =
  | { readonly understood: true; readonly words: readonly string[] }
  | { readonly understood: false; readonly file: string; readonly text: string };

/**
 * Reads /etc/default/grub and its .d folder as the shell that sources them: assignments, appends and the two variables in
 * one another. Anything else that touches them (a command, a condition around it) is told and never guessed.
 */
export function readGrubDefaults(root: string): GrubLine | undefined {
  const folder = "etc/default/grub.d/";
  const dropIns = namesIn(root + folder).filter((name) => name.endsWith(".cfg"));
  const files = ["etc/default/grub", ...dropIns.map((name) => folder + name)];
  if (readText(`${root}etc/default/grub`) === "" && dropIns.length === 0) return undefined;
  const values = new Map<string, string>(NAMES.map((name) => [name, ""]));
  for (const file of files)
    for (const line of readText(root + file).split("\n")) {
      if (/^\s*(?:#|$)/.test(line) || !line.includes("GRUB_CMDLINE_LINUX")) continue;
      const [, name = "", operator = "", typed = ""] = ASSIGNMENT.exec(line) ?? [];
      const value = name === "" ? undefined : shellValue(typed, values);
      if (value === undefined) {
        // Variables of the recovery entry and of Xen have longer names and say nothing about this line.
        if (/GRUB_CMDLINE_LINUX(?:_DEFAULT)?\b/.test(line))
          return { understood: false, file: `/${file}`, text: line.trim() };
        continue;
      }
      values.set(name, operator === "+=" ? (values.get(name) ?? "") + value : value);
    }
  const text = NAMES.map((name) => values.get(name) ?? "").join(" ");
  // The text goes into GRUB's own script, where a backslash keeps the character after it.
  return { understood: true, words: parseArguments(text).map((word) => word.replaceAll(/\\(.)/g, "$1")) };
}

/** One word of a shell, with the two variables; `undefined` for what takes more than that. Source: POSIX XCU 2.2. */
function shellValue(typed: string, values: ReadonlyMap<string, string>): string | undefined {
  const single = /^'([^']*)'\s*(?:#.*)?$/.exec(typed);
  if (single !== null) return single[1] ?? "";
  const double = /^"((?:[^"\\]|\\.)*)"\s*(?:#.*)?$/.exec(typed)?.[1];
  const text = double ?? /^([^\s"'\\;|&()<>`]*)\s*(?:#.*)?$/.exec(typed)?.[1];
  if (text === undefined) return undefined;
  let known = true;
  const expanded = text.replaceAll(
    /\\([\\$"`])|\$\{(\w+)\}|\$(\w+)|([$`])/g,
    (_, kept?: string, braced?: string, plain?: string) => {
      if (kept !== undefined) return kept;
      const value = values.get(braced ?? plain ?? "");
      known &&= value !== undefined;
      return value ?? "";
    },
  );
  return known ? expanded : undefined;
}
