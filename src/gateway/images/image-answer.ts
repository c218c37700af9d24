import type { Call } from "../call.ts";
import { sendJson } from "../call.ts";
import type { WireError } from "../wire-error.ts";
import { sendError, streamError } from "../wire-error.ts";
import type { ImageAsk } from "./image-ask.ts";
import type { ImageFormat } from "./image-bytes.ts";
import type { ImageWatch, MadeImage } from "./image-work.ts";

/** Images count no tokens; clients of the dialect read these numbers all the same. */
const NO_USAGE = {
  input_tokens: 0,
  input_tokens_details: { image_tokens: 0, text_tokens: 0 },
  output_tokens: 0,
  total_tokens: 0,
};

/** How a client hears of its images. Exactly one of `whole` and `failed` is called. */
export interface ImageAnswer {
  readonly watch: ImageWatch;
  /** Told while nothing runs: what is waited for. */
  waiting(say: () => string): void;
  whole(images: readonly MadeImage[]): Promise<void>;
  failed(error: WireError): void;
}

const shownSize = ({ size }: ImageAsk): string =>
  size === undefined ? "auto" : `${size.width}x${size.height}`;

const common = (ask: ImageAsk, format: ImageFormat): Record<string, unknown> => ({
  background: "opaque",
  output_format: format,
  quality: ask.quality ?? "auto",
  size: shownSize(ask),
});

/** One JSON answer at the end; `keep` makes an image's address. */
export function wholeAnswer(
  call: Call,
  ask: ImageAsk,
  headers: () => readonly string[],
  keep: (image: MadeImage) => Promise<string>,
): ImageAnswer {
  return {
    watch: {},
    waiting: () => {},
    async whole(images) {
      const data = [];
      for (const image of images)
        data.push({
          ...(ask.url ? { url: await keep(image) } : { b64_json: image.bytes.toString("base64") }),
          seed: image.seed,
        });
      const created = Math.floor(Date.now() / 1000);
      const format = images[0]?.format ?? "png";
      sendJson(call, 200, { created, ...common(ask, format), data, usage: NO_USAGE }, headers());
    },
    failed: (error) => sendError(call, error, headers()),
  };
}

/** How often a stream that makes steps says how far it is, ms. */
const COMMENT_EVERY = 1000;

/** Events as OpenAI's clients know them, with comments that say how far the work is; headers go with the first. */
export class StreamedImages implements ImageAnswer {
  readonly watch: ImageWatch;
  readonly #call: Call;
  readonly #ask: ImageAsk;
  readonly #headers: () => readonly string[];
  #timer: NodeJS.Timeout | undefined;
  #said = 0;
  #done = 0;
  #previews = 0;
  #fraction = 0;

  constructor(call: Call, ask: ImageAsk, headers: () => readonly string[]) {
    this.#call = call;
    this.#ask = ask;
    this.#headers = headers;
    this.watch = {
      progress: (value, max) => this.#progress(value, max),
      preview: (bytes, format) => this.#preview(bytes, format),
      image: (image) => this.#completed(image),
    };
  }

  waiting(say: () => string, after = COMMENT_EVERY): void {
    this.#timer = setTimeout(() => {
      // A line break in a reason would end the comment and begin an event.
      this.#write(`: ${say().replaceAll(/[\r\n]+/g, " ")}\n\n`);
      this.waiting(say, 5 * COMMENT_EVERY);
    }, after);
  }

  whole(): Promise<void> {
    clearTimeout(this.#timer);
    this.#write("");
    this.#call.res.end("data: [DONE]\n\n");
    return Promise.resolve();
  }

  failed(error: WireError): void {
    clearTimeout(this.#timer);
    const { res } = this.#call;
    if (res.destroyed) return;
    if (res.headersSent) res.end(streamError(this.#call.family, error, this.#call.id));
    else sendError(this.#call, error, this.#headers());
  }

  #progress(value: number, max: number): void {
    clearTimeout(this.#timer);
    this.#fraction = value / max;
    const now = performance.now();
    if (now - this.#said < COMMENT_EVERY && value < max) return;
    this.#said = now;
    this.#write(`: image ${this.#done + 1} of ${this.#ask.n}, step ${value} of ${max}\n\n`);
  }

  /** Of the many previews, so many as were asked for, evenly over the steps. */
  #preview(bytes: Buffer, format: ImageFormat): void {
    const due = (this.#previews + 1) / (this.#ask.previews + 1);
    if (this.#previews >= this.#ask.previews || this.#fraction < due) return;
    this.#event("partial_image", bytes, format, { partial_image_index: this.#previews++ });
  }

  #completed({ bytes, format, seed }: MadeImage): void {
    this.#done++;
    this.#previews = 0;
    this.#fraction = 0;
    this.#event("completed", bytes, format, { usage: NO_USAGE, seed });
  }

  #event(what: string, bytes: Buffer, format: ImageFormat, more: Record<string, unknown>): void {
    const type = `${this.#ask.kind}.${what}`;
    const created = Math.floor(Date.now() / 1000);
    const event = {
      type,
      b64_json: bytes.toString("base64"),
      created_at: created,
      ...common(this.#ask, format),
      ...more,
    };
    this.#write(`event: ${type}\ndata: ${JSON.stringify(event)}\n\n`);
  }

  #write(text: string): void {
    const { res, headers } = this.#call;
    if (res.destroyed) return;
    if (!res.headersSent) {
      const type = "text/event-stream; charset=utf-8";
      res.writeHead(200, ["content-type", type, "cache-control", "no-cache", ...headers, ...this.#headers()]);
    }
    if (text !== "") res.write(text);
  }
}
