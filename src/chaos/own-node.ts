import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { OmniError, siblingProgram } from "../core/index.ts";
import { freePort } from "../runtimes/free-port.ts";
import type { OwnNode } from "./scenario.ts";

const SKEW = fileURLToPath(siblingProgram(import.meta.url, "./skewed-clock"));
/** Longest a node may take until it listens, and until it has ended, ms. */
const START = 60_000;
const END = 30_000;
/** A disk of our own is so small that filling it takes no time, bytes. */
const DISK = 64 * 2 ** 20;

export interface OwnNodeOptions {
  /** Program and arguments that start a node, without its port. */
  readonly command: readonly [string, ...string[]];
  /** The state folder on a small disk of its own, where we may mount one. */
  readonly ownDisk: boolean;
  /** Ends the start early. */
  readonly signal?: AbortSignal;
}

/** A node of chaos' own, in a state folder of its own. */
export interface StartedNode extends OwnNode {
  readonly url: string;
  readonly stateFolder: string;
  /** The last lines that it wrote. */
  output(): readonly string[];
  /** Ends the node and everything of it. */
  end(): Promise<void>;
}

/**
 * Starts a node. Throws OmniError `chaos.failed` with its last words when it does not come up, and the signal's reason when
 * that aborts; nothing of it is left then.
 */
export async function startOwnNode(options: OwnNodeOptions): Promise<StartedNode> {
  const root = mkdtempSync(join(tmpdir(), "omni-chaos-"));
  const stateFolder = join(root, "state");
  const clock = join(root, "clock");
  writeFileSync(clock, "0");
  const port = await freePort();
  const disk = options.ownDisk ? await mountDisk(stateFolder) : undefined;
  const url = `http://127.0.0.1:${port}`;
  const lines: string[] = [];
  let skew = 0;
  let child: ChildProcess | undefined;
  const launch = async (): Promise<void> => {
    child = spawnNode(options.command, { port, stateFolder, clock }, lines);
    await untilListening(url, child, lines, options.signal);
  };
  const gone = async (): Promise<void> => {
    await endChild(child);
    await disk?.unmount();
    rmSync(root, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await launch();
  } catch (error) {
    await gone();
    throw error;
  }
  return {
    url,
    stateFolder,
    get pid(): number {
      return child?.pid ?? 0;
    },
    output: () => lines,
    async killAndRestart(): Promise<void> {
      child?.kill("SIGKILL");
      await exited(child);
      await launch();
    },
    skewClock(by): void {
      skew += by;
      writeFileSync(clock, String(skew));
    },
    fillDisk: async () => (disk === undefined ? undefined : fill(stateFolder)),
    end: gone,
  };
}

interface Where {
  readonly port: number;
  readonly stateFolder: string;
  readonly clock: string;
}

function spawnNode(
  [program, ...args]: readonly [string, ...string[]],
  { port, stateFolder, clock }: Where,
  lines: string[],
): ChildProcess {
  const child = spawn(program, ["--import", SKEW, ...args, "--port", String(port)], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, OMNI_STATE: stateFolder, OMNI_CHAOS_CLOCK: clock, NO_COLOR: "1" },
  });
  child.once("error", (error) => lines.push(error.message));
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => {
      lines.push(...String(chunk).split("\n").filter(Boolean));
      lines.splice(0, Math.max(0, lines.length - 200));
    });
  return child;
}

async function untilListening(
  url: string,
  child: ChildProcess,
  lines: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const end = performance.now() + START;
  const lives = (): boolean =>
    child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  while (performance.now() < end && lives()) {
    const answered = await fetch(`${url}/healthz`).then(
      (response) => response.ok,
      () => false,
    );
    if (answered) return;
    await sleep(100, undefined, { signal });
  }
  throw new OmniError("chaos.failed", `The test node did not come up: ${lines.slice(-5).join(" | ")}`);
}

async function endChild(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined) return;
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), END);
  await exited(child);
  clearTimeout(late);
}

function exited(child: ChildProcess | undefined): Promise<void> {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null)
    return Promise.resolve();
  return new Promise((resolve) => child.once("exit", () => resolve()));
}

/** A tmpfs at the folder, where we may mount; `undefined` otherwise. */
async function mountDisk(folder: string): Promise<{ unmount(): Promise<void> } | undefined> {
  mkdirSync(folder, { recursive: true });
  if (!(await ran("mount", ["-t", "tmpfs", "-o", `size=${DISK}`, "tmpfs", folder]))) return undefined;
  return {
    unmount: async () => {
      await ran("umount", ["-l", folder]);
    },
  };
}

function ran(program: string, args: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: "ignore" });
    child.once("error", () => resolve(false));
    child.once("exit", (code) => resolve(code === 0));
  });
}

/** Takes every free block of the disk; the returned function frees them. */
function fill(folder: string): () => Promise<void> {
  const path = join(folder, "filled-by-chaos");
  const { bavail, bsize } = statfsSync(folder);
  for (let size = bavail * bsize; size > 0; size = Math.floor(size / 2)) {
    try {
      writeFileSync(path, Buffer.alloc(Math.min(size, 2 ** 26)), { flag: "a" });
    } catch {
      // The last piece does not fit whole; smaller ones do.
    }
    if (statfsSync(folder).bavail === 0) break;
  }
  return () => {
    rmSync(path, { force: true });
    return Promise.resolve();
  };
}
