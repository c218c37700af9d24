import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { readNodeRecord } from "../../src/store/index.ts";

export const ROOT = resolve(import.meta.dirname, "../..");
const LAUNCHER = join(ROOT, "omni");

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A state folder of a test's own, so that nothing meets a node that runs on this machine. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "omni-test-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Where a command runs, when not here: its folder, and variables beside this process's own. */
export interface Surroundings {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a command of the real launcher to its end. */
export async function omni(
  args: readonly string[],
  state: string,
  input?: string,
  surroundings?: Surroundings,
): Promise<Finished> {
  const child = launch(args, state, surroundings);
  const stdout = collected(child.stdout);
  const stderr = collected(child.stderr);
  child.stdin?.end(input ?? "");
  await once(child, "close");
  return { code: child.exitCode, stdout: stdout(), stderr: stderr() };
}

export interface RunningNode {
  readonly url: string;
  readonly child: ChildProcess;
  readonly state: string;
  stdout(): string;
  stderr(): string;
  /** Ctrl-C, and wait for the end. Resolves with the exit code. */
  interrupt(): Promise<number | null>;
}

/** Starts `omni up` on a free port and waits until it is ready. Throws with what it printed when it ends before. */
export async function startNode(args: readonly string[], state: string): Promise<RunningNode> {
  const child = launch(["up", "--port", "0", ...args], state);
  const stdout = collected(child.stdout);
  const stderr = collected(child.stderr);
  const ended = once(child, "close");
  const url = await Promise.race([
    untilReady(state),
    ended.then(([code]) => {
      throw new Error(`omni up ended with ${String(code)} before it was ready:\n${stdout()}\n${stderr()}`);
    }),
  ]);
  return {
    url,
    child,
    state,
    stdout,
    stderr,
    interrupt: async () => {
      child.kill("SIGINT");
      await ended;
      return child.exitCode;
    },
  };
}

/** How long anything may take on a machine that does much else, in milliseconds. */
const PATIENCE = 20_000;

/** Resolves as soon as `holds` does; throws when it does not within the patience. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const limit = performance.now() + PATIENCE;
  while (!(await holds())) {
    if (performance.now() > limit) throw new Error(`not so within ${PATIENCE} ms: ${holds.toString()}`);
    await new Promise((wake) => setTimeout(wake, 25));
  }
}

export async function untilReady(state: string): Promise<string> {
  for (;;) {
    const url = readNodeRecord(state)?.url;
    const ready =
      url === undefined
        ? false
        : await fetch(`${url}/readyz`).then(
            (response) => response.ok,
            () => false,
          );
    if (ready && url !== undefined) return url;
    await new Promise((wake) => setTimeout(wake, 20));
  }
}

/** Starts a command of the real launcher. */
export function launch(
  args: readonly string[],
  state: string,
  { cwd, env }: Surroundings = {},
): ChildProcess {
  return spawn(LAUNCHER, args, {
    cwd,
    env: { ...process.env, OMNI_STATE: state, NO_COLOR: "1", ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
}

export function collected(stream: NodeJS.ReadableStream | null): () => string {
  let text = "";
  stream?.setEncoding("utf8");
  stream?.on("data", (piece: string) => (text += piece));
  return () => text;
}

/** Processes whose command line contains `needle`, from /proc. */
export function processesWith(needle: string): number[] {
  return processes((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(needle));
}

/** Direct children of a process. */
export function childrenOf(parent: number): number[] {
  return processes(
    (pid) => /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] === String(parent),
  );
}

function processes(matches: (pid: string) => boolean): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return matches(pid);
      } catch {
        return false;
      }
    })
    .map(Number);
}
