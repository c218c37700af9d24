import { GIB } from "../../core/index.ts";
import type { EngineTook } from "../engine.ts";
import { DeviceTally } from "./device-tally.ts";

/**
 * Wordings since 0.4: `Loading model weights took 67.7229 GB`, `Model loading took 2.2845 GiB and 74.27 seconds`, `… GiB
 * memory and …`. Its GB are GiB (gpu_model_runner.py divides by GiB_bytes).
 */
const WEIGHTS =
  /(?:Loading model weights|Model loading) took ([\d.]+) Gi?B(?:(?: memory)? and ([\d.]+) seconds)?/;
const KV = /Available KV cache memory: ([\d.]+) GiB/;
const TOKENS = /GPU KV cache size: ([\d,]+) tokens/;
const BLOCKS = /# (?:GPU|cuda) blocks: (\d+)/;
const GRAPHS = /Graph capturing finished in [\d.]+ secs?, took (-?[\d.]+) GiB/;
/** Tokens of a block where nothing else is said. */
const BLOCK = 16;
/** The worker that a line comes from, or the engine that is its own worker: `(EngineCore_DP0 pid=4)`, `(Worker_PP0_TP1 pid=4)`, `(VllmWorker rank=1 pid=4)`, `(VllmWorkerProcess pid=4)`. */
const RANKED =
  /\((?:Worker|VllmWorker|EngineCore)(?:_(?:DP)?(\d+))?(?:_PP(\d+))?(?:_TP(\d+))?(?:_EP\d+)?(?: rank=(\d+))?(?:-(\d+))? pid=\d+\)/;
const BY_PID = /\((?:VllmWorkerProcess|RayWorkerWrapper|WorkerDict) pid=(\d+)/;

/**
 * What vLLM took, by card in the order of its ranks: `cuda:0` is the first card that it was given. Newer releases let only
 * the first rank speak; then only its card is told.
 */
export function vllmTook(lines: readonly string[]): EngineTook {
  const tally = new DeviceTally();
  const named = cardsByWorker(lines);
  let kvTokens: number | undefined;
  let loadTime: number | undefined;
  for (const line of lines) {
    if (!/took|KV cache|blocks/.test(line)) continue;
    const card = named.get(workerOf(line)) ?? "cuda:0";
    const weights = WEIGHTS.exec(line);
    if (weights !== null) {
      tally.set(card, "weights", Number(weights[1]) * GIB);
      if (weights[2] !== undefined) loadTime = Math.max(loadTime ?? 0, Math.round(Number(weights[2]) * 1000));
    }
    const kv = KV.exec(line)?.[1];
    if (kv !== undefined) tally.set(card, "kvCache", Number(kv) * GIB);
    const graphs = GRAPHS.exec(line)?.[1];
    if (graphs !== undefined) tally.set(card, "compute", Math.max(0, Number(graphs)) * GIB);
    kvTokens = tokensOf(line) ?? kvTokens;
  }
  return {
    devices: tally.devices(),
    ...(kvTokens === undefined ? {} : { kvTokens }),
    ...(loadTime === undefined ? {} : { loadTime }),
  };
}

function tokensOf(line: string): number | undefined {
  const tokens = TOKENS.exec(line)?.[1];
  if (tokens !== undefined) return Number(tokens.replaceAll(",", ""));
  const blocks = BLOCKS.exec(line)?.[1];
  return blocks === undefined ? undefined : Number(blocks) * BLOCK;
}

/** What tells workers apart, sortable by rank; empty for the only one, or the first of those that name themselves by pid. */
function workerOf(line: string): string {
  const ranked = RANKED.exec(line);
  if (ranked !== null)
    return ranked
      .slice(1)
      .map((rank: string | undefined) => (rank ?? "0").padStart(4, "0"))
      .join(".");
  const pid = BY_PID.exec(line)?.[1];
  return pid === undefined ? "" : `~${pid.padStart(8, "0")}`;
}

function cardsByWorker(lines: readonly string[]): ReadonlyMap<string, string> {
  const workers = new Set(lines.filter((line) => WEIGHTS.test(line) || KV.test(line)).map(workerOf));
  return new Map([...workers].toSorted().map((worker, index) => [worker, `cuda:${index}`]));
}
