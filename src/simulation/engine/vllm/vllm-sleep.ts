import { setTimeout as sleep } from "node:timers/promises";
import type { MemoryTerm } from "../../board/holdings.ts";
import type { Engine } from "../engine.ts";
import { gib, CORE, vllmLine } from "./vllm-log.ts";
import { torchOutOfMemory } from "./load-vllm.ts";

/** Share of the loading time that waking takes: weights come from main memory. */
const WAKING = 0.1;
const GIVEN: readonly MemoryTerm[] = ["weights", "kvCache"];

/** Level 1 keeps the weights in main memory, level 2 keeps nothing (docs.vllm.ai, features/sleep_mode). */
export function fallAsleep(engine: Engine, level: number): void {
  if (engine.work.asleep) return;
  engine.work.sleep(true);
  let freed = 0;
  for (const uuid of engine.cards)
    for (const term of GIVEN) {
      const bytes = engine.taken.get(`${uuid} ${term}`) ?? 0;
      freed += bytes;
      engine.board?.release(uuid, term);
      if (level === 1 && term === "weights")
        engine.board?.hold("cpu", bytes, { term, name: engine.settings.kind });
    }
  engine.say(
    vllmLine(
      CORE,
      "INFO",
      "gpu_worker.py:142",
      `Sleep mode freed ${gib(freed)} GiB memory, 0.50 GiB memory is still in use.`,
    ),
  );
}

/** Takes the memory again; why it could not, else `undefined`. */
export async function wakeUp(engine: Engine): Promise<string | undefined> {
  if (!engine.work.asleep) return undefined;
  await sleep(engine.loadTime * WAKING);
  for (const [rank, uuid] of engine.cards.entries())
    for (const term of GIVEN) {
      const bytes = engine.taken.get(`${uuid} ${term}`) ?? 0;
      if (engine.board?.hold(uuid, bytes, { term, name: engine.settings.kind }) !== false) continue;
      for (const uuid of engine.cards) for (const term of GIVEN) engine.board.release(uuid, term);
      return torchOutOfMemory(engine, rank, bytes);
    }
  engine.board?.release("cpu", "weights");
  engine.work.sleep(false);
  return undefined;
}
