import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { formatDuration } from "../../core/index.ts";
import type { ComfyUiClient, HistoryEntry } from "./comfyui-client.ts";
import { ComfyUiFailure, readExecutionError } from "./comfyui-failure.ts";
import type { WorkflowWatch } from "./comfyui-progress.ts";
import { ComfyUiProgress } from "./comfyui-progress.ts";
import type { WorkflowNodes } from "./workflow-template.ts";

/** How often `/history` is asked beside the WebSocket, and without one, ms. */
const LOOK_BESIDE = 10_000;
const LOOK_ALONE = 500;
const OPEN_TIME = 3000;
/** For taking back what nobody waits for any more, ms. */
const CLEAN_TIME = 5000;

/** Where to look for the images of a workflow, and bounds. */
export interface WorkflowRun {
  readonly nodes: WorkflowNodes;
  readonly outputs: readonly string[];
  /** Milliseconds from queue to end. */
  readonly time: number;
  readonly outputBytes: number;
}

/**
 * Runs one workflow to its end and fetches its images. Rejects with ComfyUiFailure, and with the reason of `signal`: then
 * the workflow is taken out of ComfyUI's queue, or interrupted. Its entry in the history is deleted either way.
 */
export async function runWorkflow(
  client: ComfyUiClient,
  run: WorkflowRun,
  watch: WorkflowWatch,
  signal: AbortSignal,
): Promise<readonly Buffer[]> {
  const clientId = randomUUID();
  const limit = AbortSignal.timeout(run.time);
  const bounded = AbortSignal.any([signal, limit]);
  const bell = new Bell();
  const progress = new ComfyUiProgress(client, clientId, watch, () => bell.ring());
  // Chosen here, so that a workflow whose answer was lost can be taken back too; older versions choose themselves.
  let id: string = randomUUID();
  progress.follow(id);
  try {
    await progress.opened(OPEN_TIME);
    bounded.throwIfAborted();
    id = await client.queue(run.nodes, clientId, id, bounded);
    progress.follow(id);
    const entry = await ended(client, id, progress, bell, bounded);
    return await fetchImages(client, entry, run, bounded);
  } catch (thrown) {
    if (bounded.aborted) await client.cancel(id, AbortSignal.timeout(CLEAN_TIME)).catch(() => {});
    if (limit.aborted && !signal.aborted)
      throw new ComfyUiFailure("timeout", `The workflow did not end within ${formatDuration(run.time)}.`);
    throw thrown;
  } finally {
    progress.close();
    await client.forget(id, AbortSignal.timeout(CLEAN_TIME)).catch(() => {});
  }
}

/** Waits for the end by what the WebSocket tells, and by asking now and then in case it does not. */
async function ended(
  client: ComfyUiClient,
  id: string,
  progress: ComfyUiProgress,
  bell: Bell,
  signal: AbortSignal,
): Promise<HistoryEntry> {
  for (;;) {
    await bell.wait(progress.open ? LOOK_BESIDE : LOOK_ALONE, signal);
    signal.throwIfAborted();
    const entry = await client.history(id, signal);
    if (entry !== undefined) return entry;
    if ((await client.whereIs(id, signal)) !== undefined) continue;
    // It may have ended between the two questions.
    const late = await client.history(id, signal);
    if (late !== undefined) return late;
    throw new ComfyUiFailure("lost", "ComfyUI knows nothing of the workflow any more; it was restarted.");
  }
}

async function fetchImages(
  client: ComfyUiClient,
  entry: HistoryEntry,
  run: WorkflowRun,
  signal: AbortSignal,
): Promise<readonly Buffer[]> {
  const { status_str: status, messages } = entry.status;
  const failed = messages.find(([type]) => type === "execution_error");
  if (failed !== undefined) throw readExecutionError(failed[1]);
  if (messages.some(([type]) => type === "execution_interrupted"))
    throw new ComfyUiFailure("interrupted", "The workflow was interrupted in ComfyUI.");
  if (status === "error") throw readExecutionError({});
  const refs = run.outputs.flatMap((node) => entry.outputs[node]?.images ?? []);
  if (refs.length === 0)
    throw new ComfyUiFailure("empty", "The workflow ended and its output nodes hold no image.");
  const images: Buffer[] = [];
  for (const ref of refs) images.push(await client.view(ref, run.outputBytes, signal));
  return images;
}

/** Ends a wait early; a ring that nobody waits for is kept for the next. */
class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Resolves after `time` ms, at a ring, or when `signal` aborts. */
  async wait(time: number, signal: AbortSignal): Promise<void> {
    if (!this.#rung) {
      const over = new AbortController();
      this.#wake = () => over.abort();
      await sleep(time, undefined, { signal: AbortSignal.any([signal, over.signal]) }).catch(() => {});
      this.#wake = undefined;
    }
    this.#rung = false;
  }
}
