import { GIB } from "../../../core/bytes.ts";
import { existsSync } from "node:fs";
import { sumOf } from "../../board/holdings.ts";
import type { Engine } from "../engine.ts";
import { EngineEnd } from "../engine-end.ts";
import type { NoRoom } from "../take-memory.ts";
import { failAtLoad, loadWeights, pass, take, takeTerm } from "../take-memory.ts";
import { API, CORE, gib, grouped, vllmLine, workerOf } from "./vllm-log.ts";

/** Default of `--gpu-memory-utilization` since 0.12. */
const UTILIZATION = 0.92;
const UNSEEN = 0;
/** What a CUDA context takes of a card. */
const CONTEXT = GIB / 2;

const info = (process: string, file: string, text: string): string => vllmLine(process, "INFO", file, text);
const error = (file: string, text: string): string => vllmLine(CORE, "ERROR", file, text);

/** A card while vLLM measures it: what was free when it began, and what its fraction claims of it. Bytes. */
interface Measured {
  readonly uuid: string;
  readonly free: number;
  readonly total: number;
  readonly claimed: number;
}

/**
 * Loads as vLLM V1 does (vllm/v1/worker/gpu_worker.py): looks what is free, takes weights, then measures what its
 * own start has cost, *by the free memory of the whole card*. What a neighbour takes meanwhile counts as its own, so two that
 * start together get too small a cache each (vLLM #55827). Whoever runs Omni's engines relies on `say` for every line.
 */
export async function loadVllm(engine: Engine): Promise<void> {
  const { loadTime, say } = engine;
  const path = engine.line.value("--model") ?? engine.line.words[1] ?? engine.settings.model;
  for (const line of openingLines(engine, path)) say(line);
  await pass(engine, loadTime * 0.1);
  refuseStart(engine, path);
  const noRoom: NoRoom = (card, bytes) => torchEnd(engine, card, bytes);
  takeOverhead(engine, (bytes) => Math.min(bytes, CONTEXT), noRoom);
  const measured = claim(engine);
  takeOverhead(engine, (bytes) => Math.max(0, bytes - CONTEXT), noRoom);
  say(info(CORE, "gpu_model_runner.py:3259", `Starting to load model ${path}...`));
  failAtLoad(engine, noRoom);
  const begin = performance.now();
  await loadWeights(engine, loadTime * 0.5, noRoom);
  takeTerm(engine, "compute", noRoom);
  const seconds = ((performance.now() - begin) / 1000).toFixed(6);
  for (const [rank, uuid] of engine.cards.entries())
    say(
      info(
        workerOf(rank, engine.cards.length),
        "gpu_model_runner.py:3338",
        `Model loading took ${gib(engine.settings.memory[uuid]?.weights ?? 0)} GiB memory and ${seconds} seconds`,
      ),
    );
  await pass(engine, loadTime * 0.25);
  const kv = takeCache(engine, measured);
  sayCache(engine, kv);
  await pass(engine, loadTime * 0.15);
  say(info(CORE, "gpu_model_runner.py:4244", "Graph capturing finished in 4 secs, took 0.55 GiB"));
  say(info(CORE, "core.py:250", "init engine (profile, create kv cache, warmup model) took 14.21 seconds"));
}

function openingLines(engine: Engine, path: string): readonly string[] {
  const { contextTokens } = engine.settings;
  return [
    info(API, "api_server.py:1977", "vLLM API server version 0.12.0"),
    info(API, "utils.py:253", `non-default args: {'model_tag': '${path}', 'model': '${path}'}`),
    info(API, "model.py:1745", `Using max model len ${contextTokens}`),
    info(API, "scheduler.py:216", "Chunked prefill is enabled with max_num_batched_tokens=8192."),
    info(
      CORE,
      "core.py:93",
      `Initializing a V1 LLM engine (v0.12.0) with config: model='${path}', served_model_name=${engine.name}`,
    ),
  ];
}

function refuseStart(engine: Engine, path: string): void {
  const { faults, cards, board } = engine;
  const lost = cards.some((uuid) => board?.state(uuid).lost !== undefined);
  if (faults.find("on-processor") !== undefined || lost)
    throw coreEnd(["RuntimeError: No CUDA GPUs are available"]);
  if (faults.take("no-kernel") !== undefined)
    throw coreEnd(["RuntimeError: CUDA error: no kernel image is available for execution on the device"]);
  if (faults.take("no-model") === undefined && (engine.settings.modelMustExist !== true || existsSync(path)))
    return;
  const text = `OSError: Can't load the configuration of '${path}'. If you were trying to load it from 'https://huggingface.co/models', make sure you don't have a local directory with the same name.`;
  throw new EngineEnd([`(${API}) ${text}`], 1);
}

/** The CUDA context is there before vLLM looks at the card, what NCCL and libraries take comes after. */
function takeOverhead(engine: Engine, part: (bytes: number) => number, noRoom: NoRoom): void {
  for (const [device, { overhead = 0 }] of Object.entries(engine.settings.memory))
    take(engine, device, "overhead", part(overhead), noRoom);
}

/** `request_memory` (vllm/v1/worker/utils.py): what the fraction claims must be free at start. */
function claim(engine: Engine): readonly Measured[] {
  const { board, cards, line, settings } = engine;
  const utilization = Number(
    line.value("--gpu-memory-utilization") ?? settings.memoryFraction ?? UTILIZATION,
  );
  if (board === undefined) return [];
  return cards.map((uuid, rank) => {
    const card = board.cards.find((card) => card.uuid === uuid);
    const total = (card?.memoryTotal ?? UNSEEN) - (card?.reserved ?? 0);
    const measured = { uuid, free: board.free(uuid), total, claimed: Math.ceil(total * utilization) };
    if (measured.free < measured.claimed)
      throw coreEnd([
        `ValueError: Free memory on device cuda:${rank} (${gib(measured.free)}/${gib(total)} GiB) on startup is less than desired GPU memory utilization (${utilization}, ${gib(measured.claimed)} GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.`,
      ]);
    return measured;
  });
}

/** Bytes of cache that it took on each card. */
function takeCache(engine: Engine, measured: readonly Measured[]): readonly number[] {
  const { board, line, settings } = engine;
  const given = Number(line.value("--kv-cache-memory-bytes") ?? settings.kvBytes ?? Number.NaN);
  const sizes = measured.map(({ uuid, free, claimed }) => {
    if (Number.isFinite(given)) return given;
    // All that has gone since the start counts as its own, a neighbour's share included.
    return claimed - (free - (board?.free(uuid) ?? free));
  });
  if (board === undefined) return Object.values(settings.memory).map(({ kvCache = 0 }) => kvCache);
  checkCache(engine, sizes);
  for (const [rank, { uuid }] of measured.entries())
    take(engine, uuid, "kvCache", sizes[rank] ?? 0, (card, bytes) => torchEnd(engine, card, bytes));
  return sizes;
}

/** `_check_enough_kv_cache_memory` (vllm/v1/core/kv_cache_utils.py). */
function checkCache({ settings, cards }: Engine, sizes: readonly number[]): void {
  const least = Math.min(...sizes);
  if (sizes.length > 0 && least <= 0)
    throw coreEnd([
      `INFO Available KV cache memory: ${gib(least)} GiB`,
      "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine. See https://docs.vllm.ai/en/latest/configuration/conserving_memory/ for more details.",
    ]);
  const perToken = (settings.kvBytesPerToken ?? 0) / Math.max(1, cards.length);
  const needed = perToken * settings.contextTokens;
  if (needed <= least) return;
  throw coreEnd([
    `ValueError: To serve at least one request with the models's max seq len (${settings.contextTokens}), (${gib(needed)} GiB KV cache is needed, which is larger than the available KV cache memory (${gib(least)} GiB). Based on the available memory, the estimated maximum model length is ${Math.floor(least / perToken)}. Try increasing \`gpu_memory_utilization\` or decreasing \`max_model_len\` when initializing the engine. See https://docs.vllm.ai/en/latest/configuration/conserving_memory/ for more details.`,
  ]);
}

function sayCache(engine: Engine, kv: readonly number[]): void {
  const { settings, cards, say } = engine;
  for (const [rank, bytes] of kv.entries())
    say(
      info(workerOf(rank, cards.length), "gpu_worker.py:359", `Available KV cache memory: ${gib(bytes)} GiB`),
    );
  const tokens = cacheTokens(engine, kv);
  say(info(CORE, "kv_cache_utils.py:1229", `GPU KV cache size: ${grouped(tokens)} tokens`));
  const { contextTokens } = settings;
  say(
    info(
      CORE,
      "kv_cache_utils.py:1234",
      `Maximum concurrency for ${grouped(contextTokens)} tokens per request: ${(tokens / contextTokens).toFixed(2)}x`,
    ),
  );
}

/** Tokens that a cache of so many bytes a card holds; as planned where the bytes of one token are not known. */
export function cacheTokens({ settings }: Engine, kv: readonly number[]): number {
  const perToken = settings.kvBytesPerToken ?? 0;
  if (perToken <= 0) return settings.contextTokens * settings.parallel;
  const least = Math.min(...kv);
  return Math.floor((least * kv.length) / perToken / 16) * 16;
}

/** An end of the engine's core, told by itself and then by the process that waits for it. */
function coreEnd(lines: readonly string[]): EngineEnd {
  return new EngineEnd(
    [
      error("core.py:866", "EngineCore failed to start."),
      error("core.py:866", "Traceback (most recent call last):"),
      ...lines.map((line) => error("core.py:866", line)),
      `(${API}) RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}`,
    ],
    1,
  );
}

/** PyTorch's own words (c10/cuda/CUDACachingAllocator.cpp). */
export function torchOutOfMemory(engine: Engine, rank: number, bytes: number): string {
  const uuid = engine.cards[rank] ?? "";
  const card = engine.board?.cards.find((card) => card.uuid === uuid);
  const total = (card?.memoryTotal ?? 0) - (card?.reserved ?? 0);
  const free = card === undefined ? 0 : (engine.board?.free(uuid) ?? 0);
  const mine = sumOf(engine.settings.memory[uuid]);
  return `torch.OutOfMemoryError: CUDA out of memory. Tried to allocate ${gib(bytes)} GiB. GPU ${rank} has a total capacity of ${gib(total)} GiB of which ${gib(free)} GiB is free. Including non-PyTorch memory, this process has ${gib(mine)} GiB memory in use.`;
}

const torchEnd = (engine: Engine, card: number, bytes: number): EngineEnd =>
  coreEnd([torchOutOfMemory(engine, Math.max(0, card), bytes)]);
