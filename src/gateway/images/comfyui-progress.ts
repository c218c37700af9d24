import { WebSocket } from "undici";
import { z } from "zod";

import type { ComfyUiClient } from "./comfyui-client.ts";
import type { ImageFormat } from "./image-bytes.ts";
import { imageFormat } from "./image-bytes.ts";

/** What is seen of a workflow while it runs. */
export interface WorkflowWatch {
  /** Steps of the node that runs. */
  progress?(value: number, max: number): void;
  preview?(bytes: Buffer, format: ImageFormat): void;
}

const message = z.looseObject({
  type: z.string(),
  data: z.looseObject({ prompt_id: z.string().optional(), node: z.unknown() }),
});
const progress = z.looseObject({ value: z.number(), max: z.number().positive() });

/** Kind of a binary message: a preview; four bytes for its format follow, then the image. */
const PREVIEW_IMAGE = 1;

/** Listens to ComfyUI's WebSocket for one workflow. It may fail at any time: then `/history` is asked more often. */
export class ComfyUiProgress {
  readonly #socket: WebSocket;
  readonly #watch: WorkflowWatch;
  readonly #ended: () => void;
  /** Set once it is known; without it, only what begins to run belongs to somebody. */
  #workflow: string | undefined;

  /** `ended` is called when the workflow has ended however it did, and when the connection has. */
  constructor(client: ComfyUiClient, clientId: string, watch: WorkflowWatch, ended: () => void) {
    this.#watch = watch;
    this.#ended = ended;
    const url = `${client.origin.replace(/^http/, "ws")}/ws?clientId=${encodeURIComponent(clientId)}`;
    this.#socket = new WebSocket(url, { dispatcher: client.agent, headers: { ...client.headers } });
    this.#socket.binaryType = "arraybuffer";
    this.#socket.addEventListener("message", ({ data }) => this.#hear(data));
    this.#socket.addEventListener("close", () => this.#ended());
    this.#socket.addEventListener("error", () => {});
  }

  get open(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** Resolves when it stands or has failed, at most after `time` ms: the first messages are not to be missed. */
  opened(time: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#socket.removeEventListener("open", done);
        this.#socket.removeEventListener("close", done);
        resolve();
      };
      const timer = setTimeout(done, time);
      if (this.#socket.readyState !== WebSocket.CONNECTING) return done();
      this.#socket.addEventListener("open", done);
      this.#socket.addEventListener("close", done);
    });
  }

  follow(workflow: string): void {
    this.#workflow = workflow;
  }

  close(): void {
    this.#socket.close();
  }

  #hear(data: unknown): void {
    if (data instanceof ArrayBuffer) this.#hearPreview(Buffer.from(data));
    else if (typeof data === "string") this.#hearText(data);
  }

  #hearText(text: string): void {
    const read = message.safeParse(parsed(text)).data;
    if (read === undefined || read.data.prompt_id !== this.#workflow) return;
    if (read.type === "progress") {
      const steps = progress.safeParse(read.data).data;
      if (steps !== undefined) this.#watch.progress?.(steps.value, steps.max);
    } else if (/^execution_(?:success|error|interrupted)$/.test(read.type)) this.#ended();
    // The end in the dialect of versions before execution_success.
    else if (read.type === "executing" && read.data.node === null) this.#ended();
  }

  #hearPreview(bytes: Buffer): void {
    if (bytes.length <= 8 || bytes.readUInt32BE(0) !== PREVIEW_IMAGE) return;
    const image = bytes.subarray(8);
    const format = imageFormat(image);
    if (format !== undefined) this.#watch.preview?.(image, format);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
