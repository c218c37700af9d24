import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { messageOf } from "../core/index.ts";

/** A program that prints lines for as long as it lives. */
export interface LongLived {
  stop(): void;
}

export interface LongLivedEvents {
  onLine(line: string): void;
  /** It is gone: what it ended with, and the last it said on its error stream. */
  onEnd(why: string, absent: boolean): void;
}

/** A line beyond this is cut: nothing that is followed here prints longer ones. */
const LONGEST_LINE = 16_384;

/**
 * Starts a program in a process group of its own and tells its lines, both streams alike. Its end is told once, also
 * when it could not be started, unless it was stopped. A program that writes dies by itself when this process is gone.
 */
export function startLongLived(program: string, args: readonly string[], events: LongLivedEvents): LongLived {
  let child: ChildProcess;
  let over = false;
  let lastError = "";
  const end = (why: string, absent = false): void => {
    if (over) return;
    over = true;
    events.onEnd(why, absent);
  };
  try {
    child = spawn(program, args, {
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, LC_ALL: "C" },
    });
  } catch (thrown) {
    queueMicrotask(() => end(`${program}: ${messageOf(thrown)}`));
    return {
      stop: () => {
        over = true;
      },
    };
  }
  child.once("error", (error) =>
    end(`${program}: ${messageOf(error)}`, "code" in error && error.code === "ENOENT"),
  );
  child.once("close", (code, signal) => {
    const said = lastError === "" ? "" : `: ${lastError.slice(0, 300)}`;
    end(`${program} ended with ${signal ?? `code ${String(code)}`}${said}`);
  });
  follow(child.stdout, (line) => over || events.onLine(line));
  follow(child.stderr, (line) => {
    lastError = line;
    if (!over) events.onLine(line);
  });
  return {
    stop(): void {
      over = true;
      kill(child);
    },
  };
}

function follow(stream: Readable | null, onLine: (line: string) => void): void {
  // With no file handles left there is a process object without pipes.
  if (!(stream instanceof Readable)) return;
  const decoder = new StringDecoder("utf8");
  let rest = "";
  stream.on("data", (piece: Buffer) => {
    const lines = (rest + decoder.write(piece)).split("\n");
    rest = (lines.pop() ?? "").slice(0, LONGEST_LINE);
    for (const line of lines) onLine(line.slice(0, LONGEST_LINE));
  });
}

function kill(child: ChildProcess): void {
  if (child.pid !== undefined) {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // The group is gone already.
    }
  }
  child.stdout?.destroy();
  child.stderr?.destroy();
  child.unref();
}
