import { MIB } from "../../core/index.ts";
import type { EngineTook } from "../engine.ts";
import { DeviceTally, type TookTerm } from "./device-tally.ts";

/** `load_tensors:        CUDA0 model buffer size =  4155.99 MiB`; before 2025 without the word `model`. */
const BUFFER = /:\s+(\S{1,64})\s+(?:(model|KV|RS|compute|output)\s+)?buffer size\s*=\s*([\d.]+) MiB/;
/** `size =    8.00 MiB ( 16384 cells,   2 layers,  4/1 seqs)`: cells of each of so many streams. */
const CELLS = /\(\s*(\d+) cells,\s*\d+ layers,\s*\d+(?:\/(\d+))? seqs\)/;
const OLD_CELLS = /kv_size = (\d+)/;
/** A model that is loaded again, after a sleep or for another preset, starts anew; a draft model adds to it. */
const BEGIN = /(?:load_model|main): loading model/;
const LOADED = /(?:llama_server|main): model loaded/;
/** Minutes, seconds, milliseconds and microseconds since the start, after the port of a router's child. */
const CLOCK = /^(?:\[\d+\] )?(\d+)\.(\d\d)\.(\d{3})\.(\d{3}) /;

const TERMS: Readonly<Record<string, TookTerm>> = {
  model: "weights",
  KV: "kvCache",
  RS: "kvCache",
  compute: "compute",
  output: "compute",
};

/**
 * What llama-server took, by the buffers that its log names (llama-model.cpp, llama-kv-cache.cpp, llama-context.cpp). Since
 * 2026 it names them at verbosity 4 only: `LLAMA_ARG_LOG_VERBOSITY`.
 */
export function llamaCppTook(lines: readonly string[]): EngineTook {
  const begin = Math.max(
    0,
    lines.findLastIndex((line) => BEGIN.test(line)),
  );
  const tally = new DeviceTally();
  let kvTokens = 0;
  let loaded: number | undefined;
  for (const line of lines.slice(begin)) {
    const buffer = line.includes("buffer size") ? BUFFER.exec(line) : null;
    if (buffer !== null) {
      const [, device = "", kind = "model", size] = buffer;
      tally.add(deviceOf(device), TERMS[kind] ?? "compute", Number(size) * MIB);
    }
    kvTokens = Math.max(kvTokens, cellsOf(line));
    if (loaded === undefined && LOADED.test(line)) loaded = clockOf(line);
  }
  const began = clockOf(lines[begin] ?? "");
  return {
    devices: tally.devices(),
    ...(kvTokens === 0 ? {} : { kvTokens }),
    ...(loaded === undefined || began === undefined ? {} : { loadTime: loaded - began }),
  };
}

/** Main memory goes by many names, as it is mapped, pinned or rearranged for the processor. */
const deviceOf = (name: string): string => (isMainMemory(name) ? "CPU" : name.replace(/_Split$/, ""));

export const isMainMemory = (name: string): boolean => /^CPU|_Host$|^AMX$|^BLAS$/.test(name);

function cellsOf(line: string): number {
  if (!line.includes("llama_kv_cache")) return 0;
  const cells = CELLS.exec(line);
  if (cells !== null) return Number(cells[1]) * Number(cells[2] ?? 1);
  return Number(OLD_CELLS.exec(line)?.[1] ?? 0);
}

/** Milliseconds since the program's start, where lines begin with a clock. */
function clockOf(line: string): number | undefined {
  const clock = CLOCK.exec(line);
  if (clock === null) return undefined;
  const [, minutes, seconds, milliseconds, microseconds] = clock;
  const whole = Number(minutes) * 60_000 + Number(seconds) * 1000 + Number(milliseconds);
  return Math.round(whole + Number(microseconds) / 1000);
}
