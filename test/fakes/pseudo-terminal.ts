import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shellCommand, shellWord } from "../../src/render/escape/shell.ts";
import { childrenOf, ROOT } from "../e2e/run-node.ts";

/** A program on a terminal of its own, as `script` of util-linux makes one. */
export interface PseudoTerminal {
  /** Everything that was written to the terminal. */
  written(): string;
  /** The lines as they stand on the alternate screen now. */
  screen(): readonly string[];
  type(text: string): void;
  resize(columns: number, rows: number): Promise<void>;
  /** The program itself, once the shell before it has started it. */
  pid(): number | undefined;
  /** Closes the terminal while the program still runs. */
  hangUp(): void;
  /** Once the program has ended: its exit status as the shell tells it, and whether the terminal is set as before. */
  ended(): Promise<{ readonly status: number; readonly restored: boolean }>;
}

/** Why there is no pseudo-terminal for a test; `undefined` where there is. */
export const NO_TERMINAL =
  existsSync("/usr/bin/script") && existsSync("/usr/bin/stty")
    ? undefined
    : "script or stty is not installed";

/** Starts a program on a terminal of 100 columns and 30 lines; `env` stands beside this process's own. */
export function startInTerminal(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): PseudoTerminal {
  const folder = mkdtempSync(join(tmpdir(), "omni-terminal-"));
  const [tty, before, after, status] = ["tty", "before", "after", "status"].map((name) => join(folder, name));
  const line = [
    `tty ${into(tty)}`,
    "stty cols 100 rows 30",
    `stty -g ${into(before)}`,
    shellCommand(argv),
    `echo $? ${into(status)}`,
    `stty -g ${into(after)}`,
  ].join("; ");
  const child = spawn("script", ["--quiet", "--flush", "--return", "--command", line, "/dev/null"], {
    cwd: ROOT,
    env: { ...process.env, TERM: "xterm", NO_COLOR: "1", SHELL: "/bin/sh", ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let written = "";
  child.stdout.setEncoding("utf8").on("data", (piece: string) => (written += piece));
  // What is typed after the end reaches nobody.
  child.stdin.on("error", () => undefined);
  const ended = once(child, "close").then(() => {
    const found = { status: Number(read(status)), restored: read(before) === read(after) };
    rmSync(folder, { recursive: true, force: true });
    return found;
  });
  return {
    written: () => written,
    screen: () => drawnScreen(written),
    type: (text) => void child.stdin.write(text),
    resize: async (columns, rows) => {
      const size = ["-F", read(tty), "cols", `${columns}`, "rows", `${rows}`];
      await once(spawn("stty", size, { stdio: "inherit" }), "close");
    },
    pid: () => childrenOf(child.pid ?? 0).flatMap(childrenOf)[0],
    hangUp: () => void child.kill("SIGKILL"),
    ended: () => ended,
  };
}

const into = (file = ""): string => `>${shellWord(file)}`;
const read = (file = ""): string => (existsSync(file) ? readFileSync(file, "utf8").trim() : "");

/** What stands on a screen after these orders: everything cleared, text placed on a line, its colours. */
function drawnScreen(written: string): readonly string[] {
  let lines: string[] = [];
  let row = 0;
  for (const piece of written.split("\u001B[")) {
    const [, placed, text = ""] = /^(?:(\d+);1H|[\d;]*m)([\s\S]*)$/.exec(piece) ?? [];
    if (piece.startsWith("2J")) lines = [];
    if (placed !== undefined) lines[(row = Number(placed) - 1)] = "";
    if (lines[row] !== undefined) lines[row] += text;
  }
  return Array.from(lines, (line) => line ?? "");
}
