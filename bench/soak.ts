/**
 * A node of its own under clients, with a fault every few seconds, for half an hour: what it takes must stay flat and nothing
 * may be left. `npm run soak -- [--minutes N] [--every SECONDS]`. Prints a line a minute, the slope of resident memory over
 * the second half, and exits with 1 when something leaks, an answer was truncated or anything is left behind.
 */
import { readdirSync, readFileSync, rmSync, mkdtempSync, writeFileSync, existsSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { nodeApi, SCENARIOS, startClients, startOwnNode } from "../src/chaos/index.ts";
import { CHAOS_SPEC } from "../src/cli/node/chaos-spec.ts";
import { simulationFolder } from "../src/cli/node/simulated-node.ts";
import { openBoard } from "../src/simulation/index.ts";

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "30" }, every: { type: "string", default: "5" } },
});
const minutes = Number(values.minutes);
const every = Number(values.every) * 1000;

/** Faults that end by themselves or are undone at once; what takes Omni itself away is chaos' own. */
const FAULTS = SCENARIOS.filter(({ name }) =>
  [
    "kill",
    "hang",
    "cut-stream",
    "malformed",
    "oom-at-load",
    "oom-at-run",
    "core-dead",
    "wrong",
    "exit-clean",
    "vram-stolen",
    "gpu-lost",
  ].includes(name),
);
/** Resident memory may grow so much a minute over the second half: noise of a garbage collector, no leak. */
const SLOPE = 0.25 * 2 ** 20;

interface Sample {
  readonly minute: number;
  readonly resident: number;
  readonly files: number;
  readonly children: number;
}

const folder = mkdtempSync(join(tmpdir(), "omni-soak-"));
const spec = join(folder, "omni.yaml");
// The budget of restarts is for crash loops of one cause; a soak is many causes.
writeFileSync(spec, CHAOS_SPEC.replace("restarts: 20", "restarts: 1000"));
const own = await startOwnNode({
  command: [process.execPath, resolve(import.meta.dirname, "../src/cli/main.ts"), "up", spec, "--simulate"],
  ownDisk: false,
});
const node = nodeApi(own.url, undefined);
const board = openBoard(simulationFolder(own.stateFolder));
const clients = startClients({ node, model: "chat", count: 4, tokens: 24, patience: 180_000 });
const samples: Sample[] = [];
const failures: string[] = [];
const began = performance.now();
const passed = (): number => (performance.now() - began) / 60_000;
let faults = 0;
let told = 0;

while (passed() < minutes) {
  await sleep(every);
  const { services } = await node.state();
  const ready = services.filter(({ state }) => state === "ready");
  const victim = ready[Math.floor(Math.random() * ready.length)];
  const fault = FAULTS[Math.floor(Math.random() * FAULTS.length)];
  if (victim !== undefined && fault !== undefined) {
    try {
      const undo = await fault.strike({ node, victim, board });
      faults++;
      if (undo !== undefined) {
        await sleep(1500);
        await undo();
      }
    } catch (error) {
      // The victim may have gone in between: nothing was done.
      process.stderr.write(`${fault.name}: ${String(error)}\n`);
    }
  }
  const sample = sampleOf(own.pid);
  samples.push(sample);
  if (Math.floor(sample.minute) > told) {
    told = Math.floor(sample.minute);
    const { answered, refused, cut, truncated } = countAnswers();
    process.stdout.write(
      `${told} min: ${(sample.resident / 2 ** 20).toFixed(1)} MiB, ${sample.files} files, ${sample.children} children, ${faults} faults, ${answered} answers, ${refused} refused, ${cut} cut, ${truncated} truncated\n`,
    );
  }
}

await clients.stop();
for (const [words, times] of refusals()) process.stdout.write(`refused ${times} times: ${words}\n`);
const { truncated } = countAnswers();
if (truncated > 0) failures.push(`${truncated} answers ended as if they were whole`);
const second = samples.slice(Math.floor(samples.length / 2));
const slope = slopeOf(second.map(({ minute, resident }) => [minute, resident]));
process.stdout.write(
  `resident memory over the second half: ${(slope / 1024).toFixed(1)} KiB a minute; files ${range(second.map(({ files }) => files))}, children ${range(second.map(({ children }) => children))}\n`,
);
if (slope > SLOPE) failures.push(`resident memory grows by ${(slope / 1024).toFixed(1)} KiB a minute`);
const events = (await node.lastEvent()) - ((await node.since(0))[0]?.seq ?? 0) + 1;
process.stdout.write(`events kept: ${events}\n`);
const pids = childrenOf(own.pid);
await own.end();
await sleep(2000);
const left = [...pids, ...engines()].filter((pid) => existsSync(`/proc/${pid}`));
if (left.length > 0) failures.push(`processes left: ${[...new Set(left)].join(", ")}`);
if (existsSync(own.stateFolder)) failures.push(`a folder is left: ${own.stateFolder}`);
if (await listens(Number(new URL(own.url).port))) failures.push("the port is still open");
rmSync(folder, { recursive: true, force: true });
process.stdout.write(
  failures.length === 0 ? "soak: nothing left, nothing lost\n" : `soak: ${failures.join("; ")}\n`,
);
process.exitCode = failures.length === 0 ? 0 : 1;

function countAnswers(): Record<"answered" | "refused" | "cut" | "truncated", number> {
  const counts = { answered: 0, refused: 0, cut: 0, truncated: 0 };
  for (const { outcome } of clients.answers) counts[outcome === "silent" ? "refused" : outcome]++;
  return counts;
}

/** What clients were told most often when they were refused, numbers and names of requests aside. */
function refusals(): readonly (readonly [string, number])[] {
  const told = new Map<string, number>();
  for (const { outcome, detail = "no answer in time" } of clients.answers) {
    if (outcome !== "refused" && outcome !== "silent") continue;
    const words = detail.replaceAll(/\d+(?:\.\d+)?/g, "#").slice(0, 160);
    told.set(words, (told.get(words) ?? 0) + 1);
  }
  return [...told].toSorted((one, other) => other[1] - one[1]).slice(0, 8);
}

function sampleOf(pid: number): Sample {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  const resident = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
  const files = readdirSync(`/proc/${pid}/fd`).length;
  return { minute: passed(), resident, files, children: childrenOf(pid).length };
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1")
    .trim()
    .split(" ")
    .filter(Boolean)
    .map(Number);
}

/** Processes of this node's engines: their command names its folder. */
function engines(): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => {
      try {
        return (
          Number.isInteger(pid) && readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(own.stateFolder)
        );
      } catch {
        return false;
      }
    });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Least squares: the second value a unit of the first. */
function slopeOf(points: readonly (readonly [number, number])[]): number {
  const x = mean(points.map(([at]) => at));
  const y = mean(points.map(([, value]) => value));
  const over = points.reduce((sum, [at, value]) => sum + (at - x) * (value - y), 0);
  const under = points.reduce((sum, [at]) => sum + (at - x) ** 2, 0);
  return under === 0 ? 0 : over / under;
}

function range(values: readonly number[]): string {
  return `${Math.min(...values)} to ${Math.max(...values)}`;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
      .once("connect", () => {
        socket.destroy();
        resolve(true);
      })
      .once("error", () => resolve(false));
  });
}
