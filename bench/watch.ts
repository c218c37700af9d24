/**
 * What the watch costs: processor time of its process and all of its children, as a share of one core, at one look a
 * second. Beside it, in the same run, a program that is started every second, as a watch without the library would.
 * SECONDS=60 by default. Needs cc.
 */
import { execFileSync, fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createWatch } from "../src/watch/index.ts";
import type { WatchOptions } from "../src/watch/index.ts";
import { buildFakeNvml, fakeCard, writeFakeState } from "../test/fakes/nvml/fake-nvml.ts";

const SECONDS = Number(process.env["SECONDS"] ?? 60);
const CASES = ["nvml", "nvidia-smi", "host", "spawn"] as const;
type Case = (typeof CASES)[number];

/** A program that tells eight cards as nvidia-smi does, again and again with --loop-ms, and costs next to nothing. */
const SMI = String.raw`
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv) {
  int loop = 0;
  for (int i = 1; i < argc; i++) {
    if (strncmp(argv[i], "--query-compute-apps", 20) == 0) return 0;
    if (strncmp(argv[i], "--loop-ms", 9) == 0) loop = 1;
  }
  do {
    for (int n = 1; n <= 8; n++)
      printf("GPU-0000000%d-1111-2222-3333-444444444444, 00000000:0%d:00.0, NVIDIA GeForce RTX 3090, 24576, 6144, 18176, "
             "256, 37, 61, [N/A], 215.50, 350.00, 0x0000000000000004, [N/A], 4, 16\n", n, n);
    fflush(stdout);
    if (loop) sleep(1);
  } while (loop);
  return 0;
}
`;

/**
 * Seconds of processor time of a process: its threads to the nanosecond, its children that have ended to the tick.
 * Sources: Documentation/scheduler/sched-stats; proc(5), stat.
 */
function used(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`).map((task) =>
    Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]),
  );
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  const ticks = Number(fields[13]) + Number(fields[14]);
  return threads.reduce((sum, own) => sum + own / 1e9, 0) + ticks / TICKS;
}

const TICKS = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

interface Tree {
  readonly cpu: number;
  /** Bytes, shared pages counted in every process that has them. */
  readonly resident: number;
}

function tree(pid: number): Tree {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number),
  );
  const kibibytes = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  return children.map(tree).reduce((a, b) => ({ cpu: a.cpu + b.cpu, resident: a.resident + b.resident }), {
    cpu: used(pid),
    resident: kibibytes * 1024,
  });
}

async function measure(name: Case, folder: string): Promise<void> {
  const child = fork(import.meta.filename, [name, folder], {
    env: { ...process.env, FAKE_NVML: join(folder, "state"), FAKE_NVML_POLL: "1000" },
  });
  // Starting is not what is measured, nor the first looks, which compile.
  await once(child, "message");
  await pause(10_000);
  const before = tree(child.pid ?? 0);
  const begin = performance.now();
  await pause(SECONDS * 1000);
  const after = tree(child.pid ?? 0);
  const seconds = (performance.now() - begin) / 1000;
  child.kill("SIGTERM");
  const share = ((after.cpu - before.cpu) / seconds) * 100;
  console.log(
    `${name.padEnd(12)} ${share.toFixed(3).padStart(8)} % of one core   ${(after.resident / 2 ** 20).toFixed(0).padStart(5)} MiB in all processes`,
  );
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });

/** What is measured, in a process of its own. */
function run(name: Case, folder: string): void {
  const smi = join(folder, "nvidia-smi");
  if (name === "spawn") {
    setInterval(() => spawnSync(smi, ["--query-gpu=uuid"]), 1000);
    process.send?.("ready");
    return;
  }
  const off = { nvml: false, nvidiaSmi: false, kernelLog: false } as const;
  const options: Readonly<Record<Exclude<Case, "spawn">, WatchOptions>> = {
    nvml: { ...off, kernelLog: "auto", nvml: join(folder, "libnvidia-ml.so.1") },
    "nvidia-smi": { ...off, kernelLog: "auto", nvidiaSmi: smi },
    host: off,
  };
  const watch = createWatch(options[name]);
  void watch.ready.then(() => process.send?.(watch.source));
  process.once("SIGTERM", () => void watch.close().then(() => process.exit(0)));
}

const [only, where = ""] = process.argv.slice(2);
const mine = CASES.find((name) => name === only);
if (mine === undefined) {
  const built = buildFakeNvml();
  writeFakeState(join(built.folder, "state"), {
    cards: Array.from({ length: 8 }, (_, n) => fakeCard(n + 1)),
  });
  const source = join(built.folder, "smi.c");
  writeFileSync(source, SMI);
  execFileSync("cc", ["-O2", "-o", join(built.folder, "nvidia-smi"), source]);
  console.log(`one look a second at 8 cards, ${SECONDS} s each; Node ${process.version}`);
  try {
    for (const name of CASES) await measure(name, built.folder);
  } finally {
    built.remove();
  }
} else run(mine, where);
