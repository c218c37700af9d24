import { z } from "zod";

import { formatDuration, messageOf, MIB } from "../../core/index.ts";
import type { Caller } from "../../keys/caller.ts";
import type { Call, StreamedCall } from "../call.ts";
import { sendJson } from "../call.ts";
import { answering } from "../answering.ts";
import { mayAccess } from "../files/file-endpoints.ts";
import { FileStore } from "../files/file-store.ts";
import { pageOf } from "../files/page-of.ts";
import { bodyChunks } from "../files/upload-file.ts";
import { refuseUnread } from "../lingering-close.ts";
import type { Endpoint } from "../surface.ts";
import type { WireError } from "../wire-error.ts";
import { badRequest, sendError } from "../wire-error.ts";
import type { BatchLimits } from "./batch-limits.ts";
import { BATCH_LIMITS } from "./batch-limits.ts";
import type { BatchRecord } from "./batch-record.ts";
import { BATCH_ENDPOINTS, batchObject, hasEnded } from "./batch-record.ts";
import type { KnownBatch } from "./batch-store.ts";
import { BatchStore } from "./batch-store.ts";

export interface BatchOptions {
  readonly store: BatchStore;
  readonly files: FileStore;
  /** Called when there is a batch more, or one to be ended: the runner's `wake`, where it is in this process. */
  readonly changed?: () => void;
  readonly limits?: Partial<BatchLimits>;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** A request for a batch is small: OpenAI bounds metadata to 16 pairs of 64 and 512 characters. */
const BODY_BYTES = MIB;
const UNITS: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 86_400 };

const asked = z.looseObject({
  input_file_id: z.string().max(100),
  endpoint: z.enum(BATCH_ENDPOINTS),
  completion_window: z.string().max(10),
  metadata: z
    .record(z.string().max(64), z.string().max(512))
    .refine((pairs) => Object.keys(pairs).length <= 16, "at most 16 pairs")
    .nullish(),
  output_expires_after: z
    .looseObject({ anchor: z.literal("created_at"), seconds: z.int().min(3600) })
    .nullish(),
});

/** `/v1/batches`: many requests in a file, answered when there is room; a key sees its own, one with `admin` all. */
export function batchEndpoints(options: BatchOptions): Readonly<Record<string, Endpoint>> {
  const desk = new BatchDesk(options);
  return {
    "/v1/batches": {
      GET: (call) => void answering(call, desk.list(call)),
      POST: (call) => void answering(call, desk.create(call)),
    },
    "/v1/batches/*": {
      GET: (call, id) => void answering(call, desk.show(call, id)),
      POST: (call, rest) => void answering(call, desk.cancel(call, rest)),
    },
  };
}

class BatchDesk {
  readonly #store: BatchStore;
  readonly #files: FileStore;
  readonly #changed: () => void;
  readonly #limits: BatchLimits;
  readonly #now: () => number;

  constructor({ store, files, changed = () => {}, limits, now = Date.now }: BatchOptions) {
    this.#store = store;
    this.#files = files;
    this.#changed = changed;
    this.#limits = { ...BATCH_LIMITS, ...limits };
    this.#now = now;
  }

  async create(call: StreamedCall): Promise<void> {
    const { caller } = call;
    if (caller === undefined) return;
    const body = await readBody(call);
    if (body === undefined) return;
    const batch = await this.#make(caller, body);
    if ("status" in batch && "message" in batch) return sendError(call, batch);
    await this.#store.write(batch);
    await this.#store.prune(this.#limits.kept);
    this.#changed();
    sendJson(call, 200, batchObject(batch, undefined));
  }

  async list(call: Call): Promise<void> {
    const own = (await this.#store.list()).filter(({ batch }) => mayAccess(call.caller, batch.owner));
    const items = own.map((known) => ({ id: known.batch.id, known }));
    const page = pageOf(items, call.query, ({ known }) => batchObject(known.batch, known.cancellingAt));
    if ("status" in page) sendError(call, page);
    else sendJson(call, 200, page);
  }

  async show(call: Call, id: string): Promise<void> {
    const known = await this.#visible(call, id);
    if (known !== undefined) sendJson(call, 200, batchObject(known.batch, known.cancellingAt));
  }

  async cancel(call: Call, rest: string): Promise<void> {
    if (!rest.endsWith("/cancel")) return this.#unknown(call, rest);
    const known = await this.#visible(call, rest.slice(0, -"/cancel".length));
    if (known === undefined) return;
    const { batch } = known;
    if (hasEnded(batch))
      return sendError(
        call,
        badRequest("batch_ended", `The batch has ended already: it is ${batch.status}.`),
      );
    await this.#store.cancel(batch.id);
    this.#changed();
    sendJson(call, 200, batchObject(batch, known.cancellingAt ?? Math.floor(this.#now() / 1000)));
  }

  async #make(caller: Caller, body: unknown): Promise<BatchRecord | WireError> {
    const read = asked.safeParse(body);
    if (!read.success) {
      const [issue] = read.error.issues;
      const param = issue?.path.join(".") ?? "";
      return badRequest("invalid_value", `${param}: ${issue?.message ?? "it cannot be used"}.`, param);
    }
    const { input_file_id: inputFile, endpoint, completion_window: window, metadata } = read.data;
    const seconds = windowSeconds(window);
    if (seconds === undefined || seconds * 1000 > this.#limits.window)
      return badRequest(
        "invalid_value",
        `completion_window is a time such as 24h, at most ${formatDuration(this.#limits.window)}.`,
        "completion_window",
      );
    const file = await this.#files.find(inputFile);
    if (file === undefined || !mayAccess(caller, file.owner))
      return badRequest("file_not_found", `No such file: ${inputFile}.`, "input_file_id");
    if (file.purpose !== "batch")
      return badRequest(
        "invalid_value",
        `The file's purpose is ${file.purpose}, not batch.`,
        "input_file_id",
      );
    const open = (await this.#store.list()).filter(
      ({ batch }) => batch.owner === caller.key && !hasEnded(batch),
    ).length;
    if (open >= this.#limits.open) return tooMany(open);
    const createdAt = Math.floor(this.#now() / 1000);
    const age = read.data.output_expires_after?.seconds;
    return {
      id: BatchStore.newId(),
      endpoint,
      inputFile,
      outputFile: FileStore.newId(),
      errorFile: FileStore.newId(),
      owner: caller.key,
      window,
      metadata: metadata ?? null,
      ...(age === undefined ? {} : { outputAge: age }),
      status: "validating",
      total: 0,
      completed: 0,
      failed: 0,
      faults: [],
      hasOutput: false,
      hasErrors: false,
      createdAt,
      expiresAt: createdAt + seconds,
    };
  }

  async #visible(call: Call, id: string): Promise<KnownBatch | undefined> {
    const known = await this.#store.find(id);
    if (known !== undefined && mayAccess(call.caller, known.batch.owner)) return known;
    this.#unknown(call, id);
    return undefined;
  }

  #unknown(call: Call, id: string): void {
    const message = `No such batch: ${id.slice(0, 100)}. GET /v1/batches lists yours.`;
    sendError(call, { status: 404, type: "not_found_error", code: "batch_not_found", message, param: "id" });
  }
}

/** Seconds of `24h`, `90m` or `7d`. */
function windowSeconds(text: string): number | undefined {
  const match = /^([1-9]\d{0,4})([mhd])$/.exec(text);
  return match === null ? undefined : Number(match[1]) * (UNITS[match[2] ?? ""] ?? 0);
}

const tooMany = (open: number): WireError => ({
  status: 429,
  type: "rate_limit_error",
  code: "too_many_batches",
  message: `This key has ${open} batches that have not ended; wait for some, or cancel them.`,
  retryAfter: 60,
});

/** The body as JSON; `undefined` when the client has been told that it is none. */
async function readBody(call: StreamedCall): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of bodyChunks(call.req)) {
    size += chunk.length;
    if (size > BODY_BYTES) {
      const message = "The request for a batch is larger than 1 MiB; its requests belong into a file.";
      refuseUnread(call, { ...badRequest("body_too_large", message), status: 413 }, BODY_BYTES);
      call.req.resume();
      return undefined;
    }
    chunks.push(chunk);
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    return value ?? {};
  } catch (thrown) {
    sendError(call, badRequest("invalid_json", `The body is no JSON: ${messageOf(thrown)}.`));
    return undefined;
  }
}
