/**
 * Cold start of the demo node: from spawning `omni up` to ready and to the first token of a streamed answer, and the
 * resident memory of gateway and engine. Measured against node-llama-cpp alone doing the same in a fresh process,
 * in interleaved rounds of the same run. Usage: npm run bench:start [-- ROUNDS]
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { freePort } from "./free-port.ts";

const ROOT = join(import.meta.dirname, "..");
const ROUNDS = Number(process.argv[2] ?? 5);
const MIB = 2 ** 20;

interface Start {
  readonly ready: number;
  readonly firstToken: number;
  readonly gatewayBytes: number;
  readonly engineBytes: number;
}

const STATUS = z.object({ services: z.array(z.object({ pid: z.number(), name: z.string() })) });

/** Resident bytes of a process, from /proc; 0 where there is none. */
function residentBytes(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

async function stop(child: ChildProcess): Promise<void> {
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  await exit;
}

async function ready(base: string): Promise<void> {
  for (;;) {
    const ok = await fetch(`${base}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function startStack(): Promise<Start> {
  const port = await freePort();
  const state = mkdtempSync(join(tmpdir(), "omni-bench-"));
  const base = `http://127.0.0.1:${port}`;
  const began = performance.now();
  const child = spawn(process.execPath, ["src/cli/main.ts", "up", "--port", String(port)], {
    cwd: ROOT,
    env: { ...process.env, OMNI_STATE: state },
    stdio: "ignore",
  });
  try {
    await ready(base);
    const readyAt = performance.now() - began;
    const response = await fetch(`${base}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        stream: true,
        temperature: 0,
        messages: [{ role: "user", content: "What is Omni?" }],
      }),
    });
    let firstToken = 0;
    for await (const piece of response.body ?? []) {
      if (Buffer.from(piece).toString().includes('"content":"')) firstToken ||= performance.now() - began;
    }
    const status = STATUS.parse(await (await fetch(`${base}/api/status`)).json());
    const engineBytes = status.services.reduce((sum, service) => sum + residentBytes(service.pid), 0);
    return { ready: readyAt, firstToken, gatewayBytes: residentBytes(child.pid ?? 0), engineBytes };
  } finally {
    await stop(child);
    rmSync(state, { recursive: true, force: true });
  }
}

async function startDirect(): Promise<number> {
  const began = performance.now();
  const child = spawn(process.execPath, ["bench/direct-first-token.ts"], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const exit = once(child, "exit");
  await Promise.race([once(child.stdout, "data"), exit]);
  const elapsed = performance.now() - began;
  await exit;
  if (child.exitCode !== 0) throw new Error(`node-llama-cpp alone ended with ${child.exitCode}`);
  return elapsed;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const stack: Start[] = [];
const direct: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  stack.push(await startStack());
  direct.push(await startDirect());
}
const of = (pick: (start: Start) => number): number => median(stack.map(pick));
const firstToken = of((start) => start.firstToken);
console.log(`cold start of the demo, median of ${ROUNDS} rounds (warm file cache)
  spawn to ready            ${of((start) => start.ready).toFixed(0)} ms
  spawn to first token      ${firstToken.toFixed(0)} ms
  node-llama-cpp alone      ${median(direct).toFixed(0)} ms to first token, ratio ${(firstToken / median(direct)).toFixed(2)}
  resident memory, gateway  ${(of((start) => start.gatewayBytes) / MIB).toFixed(1)} MiB
  resident memory, engine   ${(of((start) => start.engineBytes) / MIB).toFixed(1)} MiB`);
