import { Agent } from "undici";
import { z } from "zod";

import type { Address } from "../../core/index.ts";
import { messageOf, MIB } from "../../core/index.ts";
import { mediaTypeOf } from "./image-bytes.ts";
import type { ImageFormat } from "./image-bytes.ts";
import { ComfyUiFailure, readRefusal } from "./comfyui-failure.ts";
import type { WorkflowNodes } from "./workflow-template.ts";

/** No answer of its API but images and history is larger, and history holds the workflow. */
const MOST_JSON = 16 * MIB;
const CONNECT_TIME = 5000;
/** ComfyUI answers its API beside the work, but Python shares its lock. */
const ANSWER_TIME = 60_000;

const queued = z.looseObject({ prompt_id: z.string() });
const uploaded = z.looseObject({
  name: z.string(),
  subfolder: z.string().catch(""),
  type: z.string().catch("input"),
});
const queue = z.looseObject({
  queue_running: z.array(z.array(z.unknown())).catch([]),
  queue_pending: z.array(z.array(z.unknown())).catch([]),
});
const historyEntry = z.looseObject({
  outputs: z.record(
    z.string(),
    z.looseObject({
      images: z
        .array(
          z.looseObject({
            filename: z.string(),
            subfolder: z.string().catch(""),
            type: z.string().catch("output"),
          }),
        )
        .catch([]),
    }),
  ),
  status: z
    .looseObject({
      status_str: z.string().catch(""),
      messages: z.array(z.tuple([z.string(), z.unknown()])).catch([]),
    })
    .catch({ status_str: "", messages: [] }),
});
export type HistoryEntry = z.output<typeof historyEntry>;
export type ImageRef = NonNullable<HistoryEntry["outputs"][string]>["images"][number];

/** ComfyUI's API at one address. Every method rejects with ComfyUiFailure `lost` where the connection fails. */
export class ComfyUiClient {
  /** For HTTP and WebSocket alike. */
  readonly agent: Agent;
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(address: Address) {
    this.agent = new Agent({
      connect: { timeout: CONNECT_TIME, ...(address.kind === "unix" ? { socketPath: address.path } : {}) },
      headersTimeout: ANSWER_TIME,
      bodyTimeout: ANSWER_TIME,
      allowH2: false,
    });
    this.origin = originOf(address);
    this.headers = address.kind === "url" ? address.headers : {};
  }

  /** Asks for a workflow; its id. Rejects with `refused` and ComfyUI's own words. */
  async queue(nodes: WorkflowNodes, client: string, id: string, signal: AbortSignal): Promise<string> {
    const sent = JSON.stringify({ prompt: nodes, client_id: client, prompt_id: id });
    const { status, body } = await this.#json("POST", "/prompt", signal, sent);
    const read = status === 200 ? queued.safeParse(body) : undefined;
    if (read?.success !== true) throw readRefusal(status, body);
    return read.data.prompt_id;
  }

  /** What is known of an ended workflow; `undefined` while it has not ended. */
  async history(id: string, signal: AbortSignal): Promise<HistoryEntry | undefined> {
    const { body } = await this.#json("GET", `/history/${encodeURIComponent(id)}`, signal);
    const all = z.record(z.string(), z.unknown()).safeParse(body).data;
    return all?.[id] === undefined ? undefined : historyEntry.safeParse(all[id]).data;
  }

  /** Where a workflow is, when it has not ended. */
  async whereIs(id: string, signal: AbortSignal): Promise<"running" | "waiting" | undefined> {
    const read = queue.safeParse((await this.#json("GET", "/queue", signal)).body).data;
    const has = (list: readonly (readonly unknown[])[]): boolean => list.some(([, item]) => item === id);
    if (has(read?.queue_running ?? [])) return "running";
    return has(read?.queue_pending ?? []) ? "waiting" : undefined;
  }

  /** Takes a workflow out of the queue, and ends it where it runs; another's is left alone. */
  async cancel(id: string, signal: AbortSignal): Promise<void> {
    await this.#json("POST", "/queue", signal, JSON.stringify({ delete: [id] }));
    // Versions before 0.3.60 end whatever runs, so it is asked first what that is.
    if ((await this.whereIs(id, signal)) === "running")
      await this.#json("POST", "/interrupt", signal, JSON.stringify({ prompt_id: id }));
  }

  /** History holds the prompt for as long as ComfyUI lives. */
  async forget(id: string, signal: AbortSignal): Promise<void> {
    await this.#json("POST", "/history", signal, JSON.stringify({ delete: [id] }));
  }

  async view(ref: ImageRef, limit: number, signal: AbortSignal): Promise<Buffer> {
    const { filename, subfolder, type } = ref;
    const query = new URLSearchParams({ filename, subfolder, type });
    const { status, bytes } = await this.#ask("GET", `/view?${query.toString()}`, signal, limit);
    if (status !== 200)
      throw new ComfyUiFailure("empty", `ComfyUI answers ${status} for an image that it made.`);
    return bytes;
  }

  /** Uploads an image among those that ComfyUI deletes when it ends; the name by which LoadImage finds it. */
  async upload(name: string, bytes: Buffer, format: ImageFormat, signal: AbortSignal): Promise<string> {
    const form = new FormData();
    form.append(
      "image",
      new Blob([Uint8Array.from(bytes)], { type: mediaTypeOf(format) }),
      `${name}.${format}`,
    );
    form.append("type", "temp");
    form.append("subfolder", "omni");
    const request = new Request("http://form", { method: "POST", body: form });
    const type = request.headers.get("content-type") ?? "";
    const body = Buffer.from(await request.arrayBuffer());
    const { status, body: answer } = await this.#json("POST", "/upload/image", signal, body, type);
    const read = status === 200 ? uploaded.safeParse(answer).data : undefined;
    if (read === undefined)
      throw new ComfyUiFailure("failed", `ComfyUI answers ${status} to an image's upload.`);
    const path = read.subfolder === "" ? read.name : `${read.subfolder}/${read.name}`;
    return read.type === "input" ? path : `${path} [${read.type}]`;
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    await this.agent.destroy();
  }

  async #json(
    method: "GET" | "POST",
    path: string,
    signal: AbortSignal,
    body?: string | Buffer,
    type = "application/json",
  ): Promise<{ readonly status: number; readonly body: unknown }> {
    const { status, bytes } = await this.#ask(method, path, signal, MOST_JSON, body, type);
    try {
      return { status, body: JSON.parse(bytes.toString("utf8")) };
    } catch {
      return { status, body: undefined };
    }
  }

  async #ask(
    method: "GET" | "POST",
    path: string,
    signal: AbortSignal,
    limit: number,
    body?: string | Buffer,
    type = "application/json",
  ): Promise<{ readonly status: number; readonly bytes: Buffer }> {
    try {
      const answer = await this.agent.request({
        origin: this.origin,
        method,
        path,
        signal,
        headers: { ...this.headers, ...(body === undefined ? {} : { "content-type": type }) },
        ...(body === undefined ? {} : { body }),
      });
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of answer.body) {
        const bytes = Buffer.from(chunk);
        size += bytes.length;
        if (size > limit)
          throw new ComfyUiFailure("empty", `ComfyUI's answer to ${path.slice(0, 40)} is too large.`);
        chunks.push(bytes);
      }
      return { status: answer.statusCode, bytes: Buffer.concat(chunks) };
    } catch (cause) {
      if (signal.aborted || cause instanceof ComfyUiFailure) throw cause;
      throw new ComfyUiFailure("lost", `the connection to ComfyUI broke: ${messageOf(cause)}`, [], cause);
    }
  }
}

function originOf(address: Address): string {
  if (address.kind === "url") return address.origin;
  if (address.kind === "unix") return "http://localhost";
  return `http://${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}
