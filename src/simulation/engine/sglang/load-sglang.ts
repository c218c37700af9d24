import { existsSync } from "node:fs";
import type { Engine } from "../engine.ts";
import { EngineEnd } from "../engine-end.ts";
import type { NoRoom } from "../take-memory.ts";
import { failAtLoad, loadWeights, pass, takeTerm } from "../take-memory.ts";
import { torchOutOfMemory } from "../vllm/load-vllm.ts";
import { gb, sglangLine } from "./sglang-log.ts";

/** Share of the card for weights and pool when nothing is said. */
const STATIC = 0.88;

/** Loads as SGLang's model runner does: weights, then a pool of what the fraction leaves, then graphs. */
export async function loadSglang(engine: Engine): Promise<void> {
  const { settings, loadTime, say, line } = engine;
  const path = line.value("--model-path", "--model", "--model_path") ?? settings.model;
  say(
    sglangLine(
      `server_args=ServerArgs(model_path='${path}', served_model_name='${engine.name}', context_length=${settings.contextTokens})`,
    ),
  );
  await pass(engine, loadTime * 0.15);
  refuseStart(engine, path);
  const noRoom: NoRoom = (card, bytes) => schedulerEnd([torchOutOfMemory(engine, Math.max(0, card), bytes)]);
  takeTerm(engine, "overhead", noRoom);
  const available = (): number => Math.min(...engine.cards.map((uuid) => engine.board?.free(uuid) ?? 0));
  const before = available();
  say(sglangLine("Init torch distributed begin.", 0));
  say(sglangLine(`Load weight begin. avail mem=${gb(before)} GB`, 0));
  failAtLoad(engine, noRoom);
  await loadWeights(engine, loadTime * 0.55, noRoom);
  say(
    sglangLine(
      `Load weight end. type=LlamaForCausalLM, dtype=torch.bfloat16, avail mem=${gb(available())} GB, mem usage=${gb(before - available())} GB.`,
      0,
    ),
  );
  checkPool(engine, before, available());
  takeTerm(engine, "kvCache", noRoom);
  sayPool(engine, available());
  await pass(engine, loadTime * 0.1);
  const atGraphs = available();
  takeTerm(engine, "compute", (card, bytes) =>
    schedulerEnd([
      `Exception: Capture cuda graph failed: ${torchOutOfMemory(engine, Math.max(0, card), bytes)}`,
    ]),
  );
  if (!line.has("--disable-cuda-graph"))
    say(
      sglangLine(
        `Capture cuda graph end. Time elapsed: 4.21 s. mem usage=${gb(atGraphs - available())} GB. avail mem=${gb(available())} GB.`,
        0,
      ),
    );
  await pass(engine, loadTime * 0.1);
}

function refuseStart(engine: Engine, path: string): void {
  const { faults, cards, board } = engine;
  const lost = cards.some((uuid) => board?.state(uuid).lost !== undefined);
  if (faults.find("on-processor") !== undefined || lost)
    throw schedulerEnd(["RuntimeError: No CUDA GPUs are available"]);
  if (faults.take("no-kernel") !== undefined)
    throw schedulerEnd([
      "RuntimeError: CUDA error: no kernel image is available for execution on the device",
    ]);
  if (faults.take("no-model") === undefined && (engine.settings.modelMustExist !== true || existsSync(path)))
    return;
  throw new EngineEnd([`OSError: Can't load the configuration of '${path}'.`], 1);
}

/** What the fraction leaves of what was free before (model_runner.py, profile_max_num_token). */
function checkPool({ line, board, cards }: Engine, before: number, now: number): void {
  const fraction = Number(line.value("--mem-fraction-static") ?? STATIC);
  if (board === undefined || cards.length === 0 || now - before * (1 - fraction) > 0) return;
  throw schedulerEnd(["RuntimeError: Not enough memory. Please try to increase --mem-fraction-static."]);
}

/** Tokens of the pool, as planned. */
export function poolTokens({ line, settings }: Engine): number {
  return Number(
    line.value("--max-total-tokens", "--cache_lens") ?? settings.contextTokens * settings.parallel,
  );
}

function sayPool(engine: Engine, available: number): void {
  const { settings, say, cards } = engine;
  const bytes = settings.memory[cards[0] ?? "cpu"]?.kvCache ?? 0;
  const tokens = poolTokens(engine);
  say(
    sglangLine(
      `KV Cache is allocated. #tokens: ${tokens}, K size: ${gb(bytes / 2)} GB, V size: ${gb(bytes / 2)} GB`,
      0,
    ),
  );
  say(sglangLine(`Memory pool end. avail mem=${gb(available)} GB`, 0));
  say(
    sglangLine(
      `max_total_num_tokens=${tokens}, chunked_prefill_size=8192, max_prefill_tokens=16384, max_running_requests=${settings.parallel}, context_len=${settings.contextTokens}`,
      0,
    ),
  );
}

/** The scheduler ends, and takes the server along. */
export const schedulerEnd = (lines: readonly string[]): EngineEnd =>
  new EngineEnd(
    [
      sglangLine("Scheduler hit an exception: Traceback (most recent call last):", 0),
      ...lines,
      sglangLine("Received sigquit from a child process. It usually means the child failed."),
    ],
    137,
  );
