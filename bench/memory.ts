/**
 * Prediction of llama.cpp's memory beside what the real llama.cpp reports for the same arguments, for models that are
 * whole headers with no data (test/fakes/sparse-models): `llama-fit-params` per device, where several cards are several
 * RPC servers of llama.cpp's on loopback; `llama-server` with its slots; and node-llama-cpp within this process.
 *
 * llama.cpp is the build in the folder OMNI_LLAMA_CPP, else one made from the git bundle that node-llama-cpp carries, in
 * ~/.cache/omni/llama.cpp-<release> (needs git, cmake and a C++ compiler; about ten minutes on two cores, once).
 *
 * Ends with 1 when weights or KV cache of any device are off by 1 MiB or a total by more than 3 % and 64 MiB.
 * Usage: npm run bench:memory -- [part of a case's name]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { MIB } from "../src/core/index.ts";
import { llamaCppModel } from "../src/memory/llama-cpp.ts";
import type { DeviceMemory, DeviceRoom, MemoryModel } from "../src/memory/memory-model.ts";
import { readGgufShape } from "../src/models/index.ts";
import { writeSparseGguf } from "../test/fakes/sparse-gguf.ts";
import { settings as settingsWith } from "../src/memory/llama-cpp.fixture.ts";
import { CASES, type MemoryCase } from "./memory-cases.ts";
import { llamaCppPrograms } from "./memory-llama-cpp.ts";
import { fitParams, measuredInProcess, type Reported, serverLog, startCards } from "./memory-reported.ts";

const LARGEST_SHARE = 0.03;
const LARGEST_MIB = 64;
const TERMS = ["weights", "kvCache", "compute"] as const;

interface Row {
  readonly name: string;
  readonly device: string;
  readonly predicted: Record<(typeof TERMS)[number], number>;
  readonly reported: Reported;
  /** MiB off in weights, in cache, and in all. */
  readonly weights: number;
  readonly kvCache: number;
  readonly total: number;
  readonly share: number;
}

const wanted = process.argv[2] ?? "";
const cases = CASES.filter(({ name }) => name.includes(wanted));
if (cases.length === 0) throw new Error(`no case has ${wanted} in its name`);
const programs = llamaCppPrograms();
const folder = mkdtempSync(join(tmpdir(), "omni-bench-memory-"));
const cards = await startCards(programs, Math.max(0, ...cases.map((each) => each.cards)));
const batch = llamaCppModel({ outputs: "batch", process: 0, cudaProcess: 0 });
const slots = llamaCppModel({ outputs: "slots", process: 0, cudaProcess: 0 });
const rows: Row[] = [];
try {
  for (const each of cases) rows.push(...(await judge(each)));
} finally {
  await cards.stop();
  rmSync(folder, { recursive: true });
}
process.exitCode = report(rows) ? 0 : 1;

async function judge(each: MemoryCase): Promise<Row[]> {
  const path = writeSparseGguf(join(folder, "model.gguf"), each.model());
  const shape = await readGgufShape(path);
  const settings = settingsWith(each.settings);
  const addresses = cards.addresses.slice(0, each.cards);
  const rooms: DeviceRoom[] = addresses.map((name) => ({ name, total: 2 ** 40, free: 2 ** 40 }));
  const predict = (model: MemoryModel): readonly DeviceMemory[] => {
    const { devices, host } = model.predict(shape, settings, rooms);
    return [...devices, host];
  };
  const reported =
    each.server === true
      ? await serverLog(programs, path, settings, addresses)
      : await fitParams(programs, path, settings, addresses);
  const predicted = predict(each.server === true ? slots : batch);
  const result = reported.flatMap((place, index) => {
    const memory = predicted[index];
    return memory === undefined ? [] : [rowOf(each.name, place, memory)];
  });
  if (each.inProcess !== true) return result;
  const { weights, context } = await measuredInProcess(path, settings);
  const memory = predicted.at(-1);
  if (memory === undefined) return result;
  const kvCache = memory.kvCache / MIB;
  const inProcess: Reported = { device: "node", weights, kvCache, compute: context - kvCache, exact: true };
  return [...result, rowOf(each.name, inProcess, memory)];
}

function rowOf(name: string, reported: Reported, memory: DeviceMemory): Row {
  const buffer = memory.parts
    .filter(({ term, name: part }) => term === "compute" && part !== "output buffer")
    .reduce((sum, { bytes }) => sum + bytes, 0);
  const predicted = { weights: memory.weights / MIB, kvCache: memory.kvCache / MIB, compute: buffer / MIB };
  const off = (term: (typeof TERMS)[number]): number =>
    difference(predicted[term], reported[term], reported.exact);
  const total = TERMS.reduce((sum, term) => sum + off(term), 0);
  const whole = TERMS.reduce((sum, term) => sum + reported[term], 0);
  return {
    name,
    device: reported.device.replace(/\[.*/, ""),
    predicted,
    reported,
    weights: off("weights"),
    kvCache: off("kvCache"),
    total,
    share: total / Math.max(1, whole),
  };
}

/** MiB by which a prediction is off; a reported value that was cut to whole MiB stands for all that are cut to it. */
function difference(predicted: number, reported: number, exact: boolean): number {
  if (exact) return predicted - reported;
  if (predicted < reported) return predicted - reported;
  return Math.max(0, predicted - reported - 1);
}

function report(all: readonly Row[]): boolean {
  console.log(
    `${"case".padEnd(44)} device  ${"weights MiB".padStart(20)} ${"KV MiB".padStart(18)} ${"compute MiB".padStart(16)}  total off`,
  );
  for (const row of all) console.log(line(row));
  const bad = all.filter((row) => !isGood(row));
  const worst = all.toSorted((a, b) => badness(b) - badness(a))[0];
  const architectures = new Set(all.map(({ name }) => name.split(" ")[0]));
  if (worst === undefined) return true;
  console.log(
    `\n${architectures.size} architectures, ${all.length} devices; weights off by at most ${most(all, "weights")} MiB, KV cache by ${most(all, "kvCache")} MiB`,
  );
  console.log(
    `worst: ${worst.name}, ${worst.device}: ${worst.total.toFixed(1)} MiB (${(worst.share * 100).toFixed(2)} %)`,
  );
  for (const row of bad) console.log(`too far off: ${line(row)}`);
  return bad.length === 0;
}

function line(row: Row): string {
  const beside = (term: (typeof TERMS)[number], width: number): string =>
    `${row.predicted[term].toFixed(1)} / ${row.reported[term].toFixed(row.reported.exact ? 1 : 0)}`.padStart(
      width,
    );
  return `${row.name.padEnd(44)} ${row.device.padEnd(6)} ${beside("weights", 21)} ${beside("kvCache", 18)} ${beside("compute", 16)}  ${row.total.toFixed(1).padStart(7)} MiB ${(row.share * 100).toFixed(2).padStart(6)} %`;
}

function isGood(row: Row): boolean {
  const near = Math.abs(row.total) <= LARGEST_MIB || Math.abs(row.share) <= LARGEST_SHARE;
  return near && Math.abs(row.weights) < 1 && Math.abs(row.kvCache) < 1;
}

/** How much of what is allowed the row uses. */
function badness(row: Row): number {
  const total = Math.min(Math.abs(row.total) / LARGEST_MIB, Math.abs(row.share) / LARGEST_SHARE);
  return Math.max(Math.abs(row.weights), Math.abs(row.kvCache), total);
}

function most(all: readonly Row[], term: "weights" | "kvCache"): string {
  return Math.max(...all.map((row) => Math.abs(row[term]))).toFixed(2);
}
