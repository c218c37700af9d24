import { messageOf } from "../../core/index.ts";
import type { Backends } from "../../supervisor/backends.ts";
import { leaseWhenReady } from "../lease-when-ready.ts";
import { ComfyUiClient } from "./comfyui-client.ts";
import { ComfyUiFailure } from "./comfyui-failure.ts";
import type { WorkflowWatch } from "./comfyui-progress.ts";
import { fillWorkflow, valueOf } from "./fill-workflow.ts";
import type { ImageAsk } from "./image-ask.ts";
import type { ImageFormat } from "./image-bytes.ts";
import { imageFormat } from "./image-bytes.ts";
import type { ImageLimits } from "./image-limits.ts";
import type { ImageModel } from "./image-models.ts";
import { IMAGE_PLACEHOLDERS } from "./placeholders.ts";
import { runWorkflow } from "./run-workflow.ts";
import type { WorkflowTemplate } from "./workflow-template.ts";

export interface MadeImage {
  readonly bytes: Buffer;
  readonly format: ImageFormat;
  readonly seed: number;
}

/** No service became ready in time. */
export class NoImageService extends Error {
  override readonly name = "NoImageService";
}

/** What is seen of a request while it is worked on. */
export interface ImageWatch extends WorkflowWatch {
  /** One is whole. */
  image?(image: MadeImage, index: number): void;
  /** A try failed and another is made. */
  again?(service: string, why: string): void;
}

/** Steps by what a client asks for as quality, as a share of the template's. */
const QUALITY: Readonly<Record<string, number>> = { low: 0.5, high: 1.5, hd: 1.5, xhigh: 2, max: 2.5 };

export interface ImageJob {
  readonly models: readonly ImageModel[];
  readonly ask: ImageAsk;
  /** Of the first image. */
  readonly seed: number;
}

/**
 * Makes the images of a request, over as many tries as it takes: what was made before a ComfyUI broke stays, and the
 * same seed gives the same image elsewhere. Rejects with ComfyUiFailure, NoImageService, or the reason of `signal`.
 */
export async function makeImages(
  backends: Backends,
  limits: ImageLimits,
  job: ImageJob,
  watch: ImageWatch,
  signal: AbortSignal,
): Promise<readonly MadeImage[]> {
  const named = job.models.map(({ service }) => service);
  const made: MadeImage[] = [];
  for (let attempt = 1; ; attempt++) {
    const services = leastBusyFirst(backends, named);
    const leased = await leaseWhenReady(backends, services, limits.loadingWait, signal);
    signal.throwIfAborted();
    const workflow = job.models.find(({ service }) => service === leased?.service)?.workflow;
    if (leased === undefined || workflow === undefined) throw new NoImageService();
    const client = new ComfyUiClient(leased.lease.address);
    try {
      await makeAt(client, workflow, limits, job, made, watch, signal);
      return made;
    } catch (thrown) {
      if (signal.aborted || !(thrown instanceof ComfyUiFailure)) throw thrown;
      const { trouble } = thrown;
      if (trouble === "lost") backends.reportBroken(leased.service, messageOf(thrown));
      // Out of memory it has unloaded its models, so that the next try may fit: once.
      const again = trouble === "lost" ? attempt < limits.attempts : trouble === "memory" && attempt === 1;
      if (!again) throw thrown;
      watch.again?.(leased.service, messageOf(thrown));
    } finally {
      leased.lease.release();
      await client.close();
    }
  }
}

/** A ComfyUI makes one image at a time, so that the one that has least to do is asked; else the order of the spec holds. */
function leastBusyFirst(backends: Backends, services: readonly string[]): readonly string[] {
  if (services.length < 2) return services;
  const busy = new Map(backends.services().map(({ name, inFlight = 0 }) => [name, inFlight]));
  return services.toSorted((a, b) => (busy.get(a) ?? 0) - (busy.get(b) ?? 0));
}

/** Makes what is still to be made at one ComfyUI. */
async function makeAt(
  client: ComfyUiClient,
  workflow: WorkflowTemplate,
  limits: ImageLimits,
  { ask, seed }: ImageJob,
  made: MadeImage[],
  watch: ImageWatch,
  signal: AbortSignal,
): Promise<void> {
  const uploads = await upload(client, workflow, ask, signal);
  const batched = workflow.uses.has("batch");
  while (made.length < ask.n) {
    const count = batched ? ask.n - made.length : 1;
    const own = seed + made.length;
    const nodes = fillWorkflow(workflow, {
      ...uploads,
      ...valuesOf(ask, workflow, limits),
      seed: own,
      batch: count,
    });
    const run = { nodes, outputs: workflow.outputs, time: limits.runTime, outputBytes: limits.outputBytes };
    const images = await runWorkflow(client, run, watch, signal);
    for (const bytes of images.slice(0, count)) {
      const format = imageFormat(bytes);
      if (format === undefined)
        throw new ComfyUiFailure("empty", "The workflow gives something that is no PNG, JPEG, WebP or GIF.");
      const image = { bytes, format, seed: own };
      made.push(image);
      watch.image?.(image, made.length - 1);
    }
  }
}

function valuesOf(
  ask: ImageAsk,
  workflow: WorkflowTemplate,
  limits: ImageLimits,
): Readonly<Record<string, string | number>> {
  const usual = Number(valueOf("steps", {}, workflow.uses.get("steps")));
  const scaled = Math.round(usual * (QUALITY[ask.quality ?? ""] ?? 1));
  return {
    prompt: ask.prompt,
    ...(ask.negativePrompt === undefined ? {} : { negative_prompt: ask.negativePrompt }),
    ...ask.size,
    steps: ask.steps ?? Math.max(1, Math.min(limits.steps, scaled)),
  };
}

async function upload(
  client: ComfyUiClient,
  workflow: WorkflowTemplate,
  ask: ImageAsk,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const names: Record<string, string> = {};
  const send = async (placeholder: string, bytes: Buffer): Promise<void> => {
    const format = imageFormat(bytes);
    if (format === undefined) return;
    names[placeholder] = await client.upload(`${crypto.randomUUID()}-${placeholder}`, bytes, format, signal);
  };
  for (const [index, bytes] of ask.images.entries()) {
    const placeholder = IMAGE_PLACEHOLDERS[index];
    if (placeholder !== undefined) await send(placeholder, bytes);
  }
  if (ask.mask !== undefined) await send("mask", ask.mask);
  else if (workflow.uses.has("mask") && names["image"] !== undefined) names["mask"] = names["image"];
  return names;
}
