import { randomInt } from "node:crypto";
import { TLSSocket } from "node:tls";

import type { EventLog } from "../../core/index.ts";
import type { Caller } from "../../keys/caller.ts";
import { wireErrorType } from "../../dialects/wire-error.ts";
import type { KeyGate } from "../../keys/key-gate.ts";
import type { Backends } from "../../supervisor/backends.ts";
import type { Call, StreamedCall } from "../call.ts";
import { answering } from "../answering.ts";
import { refusalOf } from "../files/upload-file.ts";
import { headerSafe } from "../forwarded-headers.ts";
import { refuseUnread } from "../lingering-close.ts";
import type { Endpoint } from "../surface.ts";
import { waitingLine } from "../waiting-room.ts";
import type { WireError } from "../wire-error.ts";
import { sendError } from "../wire-error.ts";
import { findImageModel } from "./find-image-model.ts";
import type { ImageAnswer } from "./image-answer.ts";
import { StreamedImages, wholeAnswer } from "./image-answer.ts";
import type { ImageAsk } from "./image-ask.ts";
import { mediaTypeOf } from "./image-bytes.ts";
import { imageError, NodeStopping } from "./image-errors.ts";
import type { ImageLimits } from "./image-limits.ts";
import { IMAGE_LIMITS } from "./image-limits.ts";
import type { ImageModel, ImageModels } from "./image-models.ts";
import type { MadeImage } from "./image-work.ts";
import { makeImages } from "./image-work.ts";
import type { KeptImages } from "./kept-images.ts";
import { readImageRequest } from "./read-image-request.ts";

export interface ImageOptions {
  readonly backends: Backends;
  readonly models: ImageModels;
  /** For answers by `url`. */
  readonly kept: KeptImages;
  readonly events?: EventLog;
  /** Counts requests against their key's limits. */
  readonly gate?: Pick<KeyGate, "admit">;
  readonly limits?: Partial<ImageLimits>;
  /** Aborts when the node stops: what is made then is ended with an error. */
  readonly stopping?: AbortSignal;
}

/** What a client may go on sending after its request was refused, bytes. */
const DISCARD = 8 * 1024 * 1024;
/** ComfyUI takes seeds of 64 bits; numbers of JSON are exact below 2^53, and people type shorter ones. */
const MOST_SEED = 2 ** 32;

/** `/v1/images/…`: images by workflow templates of services of ComfyUI. */
export function imageEndpoints(options: ImageOptions): Readonly<Record<string, Endpoint>> {
  const desk = new ImageDesk(options);
  const ask =
    (kind: ImageAsk["kind"]) =>
    (call: StreamedCall): void =>
      void answering(call, desk.serve(kind, call));
  return {
    "/v1/images/generations": { POST: ask("image_generation") },
    "/v1/images/edits": { POST: ask("image_edit") },
    "/v1/images/files/*": {
      open: true,
      GET: (call, name) => void answering(call, sendKept(options.kept, call, name)),
    },
  };
}

class ImageDesk {
  readonly #options: ImageOptions;
  readonly #limits: ImageLimits;
  #open = 0;
  /** Milliseconds that requests took lately; what Retry-After is made of. */
  #usual = 30_000;

  constructor(options: ImageOptions) {
    this.#options = options;
    this.#limits = { ...IMAGE_LIMITS, ...options.limits };
  }

  async serve(kind: ImageAsk["kind"], call: StreamedCall): Promise<void> {
    const { caller } = call;
    if (caller === undefined) return;
    if (this.#open >= this.#limits.requests) return refuse(call, this.#busy());
    this.#open++;
    const began = performance.now();
    try {
      const ask = await this.#read(kind, call);
      if (ask === undefined) return;
      const found = findImageModel(this.#options.backends, this.#options.models, ask, caller);
      if ("status" in found) return sendError(call, found);
      const admitted = await this.#options.gate?.admit(caller, 0);
      if (admitted !== undefined && "status" in admitted) return sendError(call, keyError(admitted));
      try {
        await this.#make(call, caller, ask, found);
      } finally {
        admitted?.settle(0);
      }
      this.#usual += (performance.now() - began - this.#usual) / 4;
    } finally {
      this.#open--;
    }
  }

  /** `undefined` when the client has been answered, or is gone. */
  async #read(kind: ImageAsk["kind"], call: StreamedCall): Promise<ImageAsk | undefined> {
    try {
      const ask = await readImageRequest(kind, call.req, this.#limits);
      if (!("status" in ask)) return ask;
      refuse(call, ask);
    } catch (thrown) {
      const refusal = refusalOf(thrown);
      if (refusal !== undefined) refuse(call, refusal);
      else if (!call.req.destroyed || call.req.complete) throw thrown;
    }
    return undefined;
  }

  async #make(
    call: StreamedCall,
    caller: Caller,
    ask: ImageAsk,
    { name, models }: { readonly name: string; readonly models: readonly ImageModel[] },
  ): Promise<void> {
    const { backends, kept, stopping } = this.#options;
    const gone = new AbortController();
    const left = (): void => gone.abort();
    const stop = (): void => gone.abort(new NodeStopping());
    call.res.once("close", left);
    stopping?.addEventListener("abort", stop, { once: true });
    if (stopping?.aborted === true) stop();
    const services = models.map(({ service }) => service);
    const headers = (): string[] => ["x-omni-route", headerSafe(name)];
    const answer: ImageAnswer = ask.stream
      ? new StreamedImages(call, ask, headers)
      : wholeAnswer(call, ask, headers, (image) => keep(kept, call, image));
    answer.waiting(() => waitingLine(backends, services));
    try {
      const job = { models, ask, seed: ask.seed ?? randomInt(MOST_SEED) };
      const again = (service: string, why: string): void => this.#record(call, caller, service, why);
      await answer.whole(
        await makeImages(backends, this.#limits, job, { ...answer.watch, again }, gone.signal),
      );
    } catch (thrown) {
      const cause: unknown = gone.signal.aborted ? gone.signal.reason : thrown;
      if (!call.res.destroyed) answer.failed(imageError(cause, backends, name, models));
      else answer.failed(imageError(new NodeStopping(), backends, name, models));
    } finally {
      call.res.off("close", left);
      stopping?.removeEventListener("abort", stop);
    }
  }

  #record(call: Call, caller: Caller, service: string, why: string): void {
    this.#options.events?.record({
      severity: "warning",
      kind: "request.retried",
      service,
      message: `Request ${call.id} for images at service "${service}" is tried again: ${why}`,
      data: { request: call.id, key: caller.key },
    });
  }

  #busy(): WireError {
    return {
      status: 429,
      type: "rate_limit_error",
      code: "queue_full",
      message: `${this.#open} requests for images are under way, and the node takes ${this.#limits.requests}.`,
      retryAfter: Math.max(1, Math.ceil(this.#usual / 1000)),
    };
  }
}

function refuse(call: StreamedCall, error: WireError): void {
  if (call.req.readableEnded) sendError(call, error);
  else {
    refuseUnread(call, error, DISCARD);
    call.req.resume();
  }
}

const keyError = (refusal: {
  status: number;
  code: string;
  message: string;
  retryAfter?: number;
}): WireError => ({
  status: refusal.status,
  type: wireErrorType(refusal.status),
  code: refusal.code,
  message: refusal.message,
  ...(refusal.retryAfter === undefined ? {} : { retryAfter: refusal.retryAfter }),
});

/** An image's address at this node as the client reached it; the door has looked at the Host header. */
async function keep(kept: KeptImages, call: StreamedCall, { bytes, format }: MadeImage): Promise<string> {
  const name = await kept.put(bytes, format);
  const scheme = call.req.socket instanceof TLSSocket ? "https" : "http";
  return `${scheme}://${call.req.headers.host ?? "localhost"}/v1/images/files/${name}`;
}

async function sendKept(kept: KeptImages, call: StreamedCall, name: string): Promise<void> {
  const bytes = await kept.get(name);
  if (bytes === undefined) {
    const minutes = Math.round(kept.limits.keptTime / 60_000);
    const message = `No such image; they are kept for ${minutes} minutes at most.`;
    return sendError(call, { status: 404, type: "not_found_error", code: "image_not_found", message });
  }
  const format = name.slice(name.lastIndexOf(".") + 1);
  const type =
    format === "jpeg" || format === "webp" || format === "gif" ? mediaTypeOf(format) : mediaTypeOf("png");
  call.res.writeHead(200, [
    "content-type",
    type,
    "content-length",
    String(bytes.length),
    "x-content-type-options",
    "nosniff",
    "cache-control",
    "private, max-age=3600, immutable",
    ...call.headers,
  ]);
  call.res.end(call.req.method === "HEAD" ? undefined : bytes);
}
