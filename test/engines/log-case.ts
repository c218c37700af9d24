import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { ProcessExit } from "../../src/engines/engine.ts";

const FOLDER = fileURLToPath(new URL("logs/", import.meta.url));

/** What an engine wrote at its end, or while it served, and what it means. A new case is a file, and needs no code. */
export interface LogCase {
  readonly kind: string;
  readonly name: string;
  readonly source: string;
  /** Absent for what was written while it served. */
  readonly exit?: ProcessExit;
  /** `nothing`, or a code, `recoverable` or `final`, `tokens=N` where it says what would fit, `goes-on` where it serves on. */
  readonly expect: string;
  /** Words that the message has to hold. */
  readonly says: string;
  readonly lines: readonly string[];
}

/**
 * All cases of `logs/<kind>/<name>.txt`: four lines of header, then the log. The decisive words are those of the source
 * that the header names; what stands around them is shortened, and paths and prefixes of lines may be those of its kind.
 */
export const logCases = (): readonly LogCase[] =>
  readdirSync(FOLDER, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name: kind }) =>
      readdirSync(new URL(`logs/${kind}/`, import.meta.url)).map((file) =>
        readCase(kind, file.replace(/\.txt$/, ""), readFileSync(`${FOLDER}${kind}/${file}`, "utf8")),
      ),
    );

function readCase(kind: string, name: string, text: string): LogCase {
  const [source = "", exit = "", expect = "", says = "", ...lines] = text.replace(/\n$/, "").split("\n");
  const ended = exitOf(header("exit", exit));
  return {
    kind,
    name,
    source: header("source", source),
    ...(ended === undefined ? {} : { exit: ended }),
    expect: header("expect", expect),
    says: header("says", says),
    lines,
  };
}

function header(name: string, line: string): string {
  const prefix = `# ${name}:`;
  if (!line.startsWith(prefix)) throw new Error(`Expected "${prefix} …", found: ${line}`);
  return line.slice(prefix.length).trim();
}

function exitOf(written: string): ProcessExit | undefined {
  if (written === "serving") return undefined;
  return written === "SIGTERM" || written === "SIGKILL"
    ? { code: null, signal: written }
    : { code: Number(written), signal: null };
}
