/** What the gateway benchmark measures: the stub itself, nginx, Omni as `omni up` runs it, and Portkey where it is asked for. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";

import { freePort } from "./free-port.ts";

export const KEY = "omni-bench-key-0123456789abcdef0123456789abcdef";
/** Microseconds of a tick of the kernel's accounts. */
const TICK = 1e6 / Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
const ROOT = join(import.meta.dirname, "..");

export interface Proxy {
  readonly name: string;
  readonly port: number;
  /** Absent for what is no process between load and stub. */
  readonly child?: ChildProcess;
  /** Header lines that it wants beside the usual ones. */
  readonly headers?: string;
}

/** Microseconds of CPU that a process and its threads have had (proc_pid_stat(5), fields 14 and 15). */
export function cpuOf({ child }: Proxy): number {
  if (child?.pid === undefined) return Number.NaN;
  const stat = readFileSync(`/proc/${child.pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK;
}

/** Resident memory, kB. */
export function residentOf({ child }: Proxy): number {
  const status = readFileSync(`/proc/${child?.pid ?? "self"}/status`, "latin1");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
}

export async function stop({ child }: Proxy): Promise<void> {
  if (child === undefined || child.exitCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

/** One process, connections to the stub kept, nothing buffered and nothing logged; `undefined` where there is no nginx. */
export async function startNginx(folder: string, stub: number): Promise<Proxy | undefined> {
  const program = ["/usr/sbin/nginx", "nginx"].find((path) => spawnSync(path, ["-v"]).error === undefined);
  if (program === undefined) return undefined;
  const own = join(folder, `nginx-${await freePort()}`);
  mkdirSync(own);
  const port = await freePort();
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${own}/${kind};`)
    .join(" ");
  writeFileSync(
    join(own, "nginx.conf"),
    `daemon off; master_process off; worker_processes 1; worker_rlimit_nofile 20000; pid ${own}/pid; error_log ${own}/error.log;
events { worker_connections 16384; }
http {
  access_log off; keepalive_requests 1000000000; client_body_buffer_size 64k; ${temporary}
  upstream stub { server 127.0.0.1:${stub}; keepalive 512; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=8192;
    location / { proxy_pass http://stub; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }
  }
}
`,
  );
  const child = spawn(program, ["-e", `${own}/error.log`, "-p", own, "-c", `${own}/nginx.conf`], {
    stdio: "ignore",
  });
  return answering({ name: "nginx", port, child });
}

/** The node as its owner would start it: rules, fallbacks, a key with limits, usage and request rows in SQLite, metrics, access log. */
export async function startOmni(folder: string, stub: number): Promise<Proxy> {
  const own = join(folder, `omni-${await freePort()}`);
  mkdirSync(own);
  const port = await freePort();
  writeFileSync(
    join(own, "omni.yaml"),
    `omni: 1
name: bench
models:
  stub: { source: { remote: stub } }
  large: { source: { remote: stub } }
engines:
  one: { kind: openai, url: "http://127.0.0.1:${stub}/v1" }
  two: { kind: openai, url: "http://localhost:${stub}/v1" }
services:
  first: { model: stub, engine: one, parallel: 4096 }
  second: { model: stub, engine: two, parallel: 4096 }
  long: { model: large, engine: two }
routes:
  oracle:
    aliases: [gpt-bench]
    services:
      - { service: long, when: { promptTokens: { above: 100000 } } }
      - first
      - second
keys:
  bench: { env: OMNI_BENCH_KEY, limits: { requestsPerMinute: 10000000, tokensPerMinute: 1000000000 } }
gateway: { host: 127.0.0.1, port: ${port} }
telemetry:
  metrics: { enabled: true }
  logs: { access: true, file: ${own}/omni.log }
`,
  );
  const main = join(ROOT, "src/cli/main.ts");
  const child = spawn(process.execPath, [main, "up", join(own, "omni.yaml")], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, OMNI_BENCH_KEY: KEY, OMNI_STATE: join(own, "state") },
  });
  return answering({ name: "Omni", port, child });
}

/** With a newer server of Hono's, Portkey answers every stream with 500: it writes into headers that are immutable there. */
const PORTKEY = {
  private: true,
  dependencies: { "@portkey-ai/gateway": "1.15.2" },
  overrides: { "@hono/node-server": "1.13.8" },
};

/** Portkey's gateway of npm, from the folder `installed`, or fetched into `folder` where that is `undefined`. */
export async function startPortkey(folder: string, stub: number, installed?: string): Promise<Proxy> {
  const where = installed ?? join(folder, "portkey");
  if (installed === undefined) {
    mkdirSync(where);
    console.log("Fetching Portkey's gateway from npm ...");
    writeFileSync(join(where, "package.json"), JSON.stringify(PORTKEY));
    execFileSync("npm", ["install", "--silent", "--no-audit", "--prefix", where]);
  }
  const port = await freePort();
  const start = join(where, "node_modules/@portkey-ai/gateway/build/start-server.js");
  const child = spawn(process.execPath, [start, `--port=${port}`, "--headless"], {
    stdio: "ignore",
    env: { ...process.env, NODE_ENV: "production", TRUSTED_CUSTOM_HOSTS: "127.0.0.1,localhost" },
  });
  const headers = `x-portkey-provider: openai\r\nx-portkey-custom-host: http://127.0.0.1:${stub}/v1\r\n`;
  return answering({ name: "Portkey", port, child, headers });
}

const reachable = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });

async function answering(proxy: Proxy): Promise<Proxy> {
  for (let i = 0; i < 300; i++) {
    if (proxy.child?.exitCode !== null) throw new Error(`${proxy.name} ended before it listened`);
    if (await reachable(proxy.port)) return proxy;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${proxy.name} did not listen within 30 s`);
}
