import { GIB } from "../../core/index.ts";
import type { EngineTook } from "../engine.ts";
import { DeviceTally } from "./device-tally.ts";

/** `[MemUsageChange] Allocated 78.30 GiB for max tokens in paged KV cache (3731744).` */
const KV = /Allocated ([\d.]+) GiB for max tokens in paged KV cache \((\d+)\)/;
const WEIGHTS = /Memory used after loading model weights \(inside torch\)[^\n]{0,80}?: ([\d.]+) GiB/;
/** `[TRT-LLM] [RANK 2] [I]`. */
const RANK = /\[RANK (\d+)\]/;

/** What TensorRT-LLM took, by rank. The cache is first made small for a trial, so the last word on it counts. */
export function tensorrtLlmTook(lines: readonly string[]): EngineTook {
  const tally = new DeviceTally();
  let kvTokens: number | undefined;
  for (const line of lines) {
    if (!line.includes("GiB")) continue;
    const card = `cuda:${RANK.exec(line)?.[1] ?? "0"}`;
    const kv = KV.exec(line);
    if (kv !== null) {
      tally.set(card, "kvCache", Number(kv[1]) * GIB);
      kvTokens = Number(kv[2]);
    }
    const weights = WEIGHTS.exec(line)?.[1];
    if (weights !== undefined) tally.set(card, "weights", Number(weights) * GIB);
  }
  return { devices: tally.devices(), ...(kvTokens === undefined ? {} : { kvTokens }) };
}
