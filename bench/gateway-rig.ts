/** Stub and load of the gateway benchmark: in C where there is a compiler, so that they take as little of the machine as they can. */
import { fork, spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { freePort } from "./free-port.ts";
import type { LoadResult } from "./gateway-load.ts";
import { KEY } from "./gateway-proxies.ts";
import type { Proxy } from "./gateway-proxies.ts";

export interface Order {
  readonly body: string;
  readonly connections: number;
  readonly seconds: number;
  /** Requests a second at a fixed rate; as fast as answers come when absent. */
  readonly rate?: number;
  /** Milliseconds over which the first requests are spread. */
  readonly spread?: number;
}

/** Microseconds from when the stub wrote an event until the load read it; unknown to the load in TypeScript. */
export type Measured = LoadResult & { readonly delayP50?: number; readonly delayP99?: number };

export interface Rig {
  readonly stub: number;
  readonly native: boolean;
  measure(proxy: Proxy, order: Order): Promise<Measured>;
  /** Opens streams that say one event, runs `look` while they are silent, and closes them. */
  hold<T>(proxy: Proxy, body: string, streams: number, look: () => T): Promise<T>;
  close(): void;
}

const source = (name: string): string => join(import.meta.dirname, "native", `${name}.c`);

const script = (name: string, ...rest: string[]): ChildProcess =>
  fork(join(import.meta.dirname, name), rest, { stdio: ["ignore", "inherit", "inherit", "ipc"] });

/** Compiles stub and load into `folder`; says so and takes those in TypeScript where there is no `cc`. */
export async function startRig(folder: string): Promise<Rig> {
  const programs = ["stub", "load"].map((name) => ({ name, path: join(folder, name) }));
  const compiled = programs.every(
    ({ name, path }) => spawnSync("cc", ["-O2", "-o", path, source(name)], { stdio: "inherit" }).status === 0,
  );
  if (compiled) return nativeRig(join(folder, "stub"), join(folder, "load"));
  console.log(
    "No C compiler here (cc): stub and load are TypeScript, which takes more of the machine than what is measured;",
  );
  console.log("cells at a fixed rate and of memory are left out.");
  return scriptRig();
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("a program of the benchmark has no output");
  for await (const line of createInterface(child.stdout)) return line;
  throw new Error("a program of the benchmark ended without a word");
}

async function nativeRig(stubProgram: string, loadProgram: string): Promise<Rig> {
  const stub = spawn(stubProgram, ["0"], { stdio: ["pipe", "pipe", "inherit"] });
  const port = Number(await firstLine(stub));
  const load = (proxy: Proxy, words: readonly (string | number)[], body: string): ChildProcess => {
    const child = spawn(loadProgram, [proxy.port, ...words, KEY].map(String), {
      stdio: ["pipe", "pipe", "inherit"],
      env: { LOAD_HEADERS: proxy.headers ?? "" },
    });
    child.stdin.end(body);
    return child;
  };
  return {
    stub: port,
    native: true,
    async measure(proxy, { body, connections, seconds, rate, spread = 0 }) {
      const mode = rate === undefined ? "closed" : "rate";
      const child = load(proxy, [mode, connections, seconds, rate ?? spread], body);
      const ended = once(child, "exit");
      const result: Measured = JSON.parse(await firstLine(child));
      await ended;
      return result;
    },
    async hold(proxy, body, streams, look) {
      const child = load(proxy, ["hold", streams, 0, 0], body);
      const ended = once(child, "exit");
      try {
        const { failures }: Measured = JSON.parse(await firstLine(child));
        if (failures > 0) throw new Error(`${failures} of ${streams} streams failed at ${proxy.name}`);
        await new Promise((resolve) => setTimeout(resolve, 2000));
        return look();
      } finally {
        child.kill("SIGKILL");
        await ended;
      }
    },
    close: () => stub.stdin.end(),
  };
}

async function scriptRig(): Promise<Rig> {
  const port = await freePort();
  const stub = script("gateway-stub.ts", String(port));
  await once(stub, "message");
  const load = script("gateway-load.ts");
  return {
    stub: port,
    native: false,
    async measure({ port: to, headers }, { body, connections, seconds }) {
      if (headers !== undefined) throw new Error("the load in TypeScript sends no further headers");
      const answer = once(load, "message");
      load.send({ target: `http://127.0.0.1:${to}`, connections, time: seconds * 1000, body, key: KEY });
      const [result] = await answer;
      return result;
    },
    hold: () => Promise.reject(new Error("the load in TypeScript holds no streams")),
    close() {
      stub.disconnect();
      load.disconnect();
    },
  };
}
