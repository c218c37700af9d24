import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import OpenAI, { toFile } from "openai";
import { afterEach, beforeEach, expect, test } from "vitest";

import { batchEndpoints } from "../../src/gateway/batches/batch-endpoints.ts";
import type { BatchLimits } from "../../src/gateway/batches/batch-limits.ts";
import type { BatchRunnerOptions } from "../../src/gateway/batches/batch-runner.ts";
import { BatchRunner } from "../../src/gateway/batches/batch-runner.ts";
import { BatchStore } from "../../src/gateway/batches/batch-store.ts";
import { fileEndpoints } from "../../src/gateway/files/file-endpoints.ts";
import { FILE_LIMITS } from "../../src/gateway/files/file-limits.ts";
import { FileStore } from "../../src/gateway/files/file-store.ts";
import type { InsideRequest } from "../../src/gateway/inside-call.ts";
import type { Caller } from "../../src/keys/caller.ts";
import type { ChildUnderTest } from "../fakes/engine-process.ts";
import { startChild, startEngine } from "../fakes/engine-process.ts";
import { askEngine } from "../fakes/inside-engine.ts";
import { MemoryEventLog } from "../fakes/memory-event-log.ts";
import { callerOf, serveSurface } from "../fakes/surface-server.ts";

const NODE = fileURLToPath(new URL("batch-node.ts", import.meta.url));
const PATIENT = { timeout: 30_000, interval: 20 };

/** The batches' surface over a folder, with a runner where one is wanted. */
class BatchNode implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "omni-batches-"));
  readonly events = new MemoryEventLog();
  readonly asked: InsideRequest[] = [];
  readonly gone = new Set<string>();
  free = 8;
  now = 0;
  #stop: (() => Promise<void>)[] = [];
  client: (key?: string) => OpenAI = () => new OpenAI({ apiKey: "none" });
  runner: BatchRunner | undefined;
  options: BatchRunnerOptions | undefined;

  async open(engine: string, limits: Partial<BatchLimits> = {}, run = true): Promise<this> {
    const now = (): number => Date.now() + this.now;
    const store = await BatchStore.open(join(this.folder, "batches"));
    const files = await FileStore.open(join(this.folder, "files"), FILE_LIMITS, now);
    const caller = (key: string): Caller | undefined => (this.gone.has(key) ? undefined : callerOf(key));
    const ask = askEngine(engine, (asked) => this.asked.push(asked));
    const free = (_model: string, own: number): number => this.free - own;
    this.options = { store, files, ask, caller, free, events: this.events, limits, now };
    if (run) this.start();
    const changed = (): void => this.runner?.wake();
    const server = await serveSurface({
      ...fileEndpoints(files),
      ...batchEndpoints({ store, files, changed, limits, now }),
    });
    this.#stop.push(() => server.close());
    this.client = (key = "ada") => new OpenAI({ baseURL: `${server.url}/v1`, apiKey: key, maxRetries: 0 });
    return this;
  }

  start(): void {
    if (this.options === undefined) throw new Error("not open");
    this.runner = new BatchRunner(this.options);
    this.runner.start();
  }

  async create(lines: readonly unknown[], key = "ada", window = "24h"): Promise<OpenAI.Batches.Batch> {
    const text = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n");
    const file = await toFile(Buffer.from(text), "in.jsonl");
    const { id } = await this.client(key).files.create({ file, purpose: "batch" });
    const completion: { completion_window: "24h" } = JSON.parse(
      JSON.stringify({ completion_window: window }),
    );
    return this.client(key).batches.create({
      input_file_id: id,
      endpoint: "/v1/chat/completions",
      ...completion,
    });
  }

  async until(id: string, status: OpenAI.Batches.Batch["status"]): Promise<OpenAI.Batches.Batch> {
    const end = Date.now() + PATIENT.timeout;
    for (;;) {
      const batch = await this.client("admin").batches.retrieve(id);
      if (batch.status === status) return batch;
      if (Date.now() > end) throw new Error(`batch ${id} is ${batch.status}, not ${status}`);
      await new Promise((resolve) => setTimeout(resolve, PATIENT.interval));
    }
  }

  /** Answers of a batch under way that are on the disk. */
  answered(id: string): number {
    const path = join(this.folder, "batches", "answers", `${id}.output.jsonl`);
    return existsSync(path) ? readFileSync(path, "utf8").split("\n").length - 1 : 0;
  }

  async lines(file: string | undefined): Promise<Record<string, unknown>[]> {
    const text = await (await this.client("admin").files.content(file ?? "")).text();
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.runner?.close();
    for (const stop of this.#stop) await stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const line = (id: string, content: string, more: object = {}): object => ({
  custom_id: id,
  method: "POST",
  url: "/v1/chat/completions",
  body: { model: "a", messages: [{ role: "user", content }] },
  ...more,
});
const many = (count: number, order = ""): object[] =>
  Array.from({ length: count }, (_, index) => line(`id-${index}`, `word${index} ${order}`));

let engine: ChildUnderTest & { readonly url: string };
beforeEach(async () => {
  engine = await startEngine();
});
afterEach(() => engine[Symbol.asyncDispose]());

test("the official client: upload, batch, output and errors in OpenAI's shape", async () => {
  await using node = await new BatchNode().open(engine.url, { retryPause: 10 });
  const made = await node.create([...many(20), line("bad", "x [400]"), line("slow", "y [500]"), ""]);
  expect(made).toMatchObject({ object: "batch", status: "validating", endpoint: "/v1/chat/completions" });
  const batch = await node.until(made.id, "completed");
  expect(batch.request_counts).toEqual({ total: 22, completed: 20, failed: 2 });
  const output = await node.lines(batch.output_file_id);
  expect(new Set(output.map((entry) => entry["custom_id"])).size).toBe(20);
  const seventh = output.find((entry) => entry["custom_id"] === "id-7");
  expect(seventh).toMatchObject({
    id: expect.stringMatching(/^batch_req_/),
    response: { status_code: 200, body: { object: "chat.completion" } },
    error: null,
  });
  expect(JSON.stringify(seventh)).toContain("word7");
  const errors = await node.lines(batch.error_file_id);
  expect(errors.map((entry) => String(entry["custom_id"])).toSorted()).toEqual(["bad", "slow"]);
  expect(errors.find((entry) => entry["custom_id"] === "bad")).toMatchObject({
    response: { status_code: 400, body: { error: { message: "told to answer 400" } } },
    error: null,
  });
  // What failed by the engine's fault was tried again, what the client did wrong was not.
  const count = (order: string): number =>
    node.asked.filter(({ body }) => JSON.stringify(body).includes(order)).length;
  expect([count("[400]"), count("[500]")]).toEqual([1, 4]);
  expect(node.asked.every(({ priority }) => priority === 0)).toBe(true);
  expect(node.events.latest(1)[0]?.message).toBe(
    `Batch ${made.id} of key "ada" ended: completed, 20 of 22 requests answered.`,
  );
  const { data } = await node.client().batches.list();
  expect(data.map(({ id }) => id)).toEqual([made.id]);
  await expect(node.client("bob").batches.retrieve(made.id)).rejects.toMatchObject({ status: 404 });
  expect((await node.client("bob").batches.list()).data).toEqual([]);
  await expect(node.client("bob").files.content(batch.output_file_id ?? "")).rejects.toMatchObject({
    status: 404,
  });
  expect(readdirSync(join(node.folder, "batches", "answers"))).toEqual([]);
});

test("a file with faults fails before anything is asked, and says each with its line", async () => {
  await using node = await new BatchNode().open(engine.url, { lineBytes: 2000 });
  const made = await node.create([
    line("a", "x"),
    "{",
    line("a", "y"),
    line("b", "x", { method: "GET" }),
    line("c", "x", { url: "/v1/embeddings" }),
    line("d", "x", { body: { model: "a", stream: true } }),
    line("e", "x", { body: { messages: [] } }),
    line("f", "x".repeat(3000)),
    "7",
  ]);
  const batch = await node.until(made.id, "failed");
  expect(batch.errors?.data?.map(({ code, line: at }) => `${at} ${code}`)).toEqual([
    "2 invalid_json_line",
    "3 duplicate_custom_id",
    "4 invalid_request",
    "5 invalid_url",
    "6 invalid_request",
    "7 invalid_request",
    "8 line_too_large",
    "9 invalid_request",
  ]);
  expect(node.asked).toEqual([]);
  const empty = await node.until((await node.create([""])).id, "failed");
  expect(empty.errors?.data?.[0]?.code).toBe("empty_file");
});

test("what cannot be a batch is refused", async () => {
  await using node = await new BatchNode().open(engine.url, { open: 1 }, false);
  const file = await node
    .client()
    .files.create({ file: await toFile(Buffer.from("x"), "x"), purpose: "user_data" });
  const create = (body: object): Promise<unknown> => node.client().post("/batches", { body });
  const good = { input_file_id: file.id, endpoint: "/v1/completions", completion_window: "24h" };
  for (const [change, param] of [
    [{ endpoint: "/v1/files" }, "endpoint"],
    [{ completion_window: "8d" }, "completion_window"],
    [{ completion_window: "soon" }, "completion_window"],
    [{ input_file_id: "file-0" }, "input_file_id"],
    [{}, "input_file_id"],
    [{ metadata: { a: 1 } }, "metadata.a"],
  ] as const)
    await expect(create({ ...good, ...change })).rejects.toMatchObject({ status: 400, param });
  await node.create(many(1));
  await expect(node.create(many(1))).rejects.toMatchObject({ status: 429, code: "too_many_batches" });
  await expect(node.client().batches.cancel("batch_0")).rejects.toMatchObject({ status: 404 });
});

test("killed in the middle and started again: no line twice, none lost, none asked again that was answered", async () => {
  await using node = await new BatchNode().open(engine.url, {}, false);
  const made = await node.create(many(240, "[slow 20]"));
  {
    await using child = await startChild(NODE, [node.folder, engine.url]);
    await expect.poll(() => node.answered(made.id), PATIENT).toBeGreaterThanOrEqual(60);
    await child.kill();
  }
  expect(node.answered(made.id)).toBeLessThan(240);
  node.start();
  const batch = await node.until(made.id, "completed");
  const ids = (await node.lines(batch.output_file_id)).map((entry) => entry["custom_id"]);
  expect([ids.length, new Set(ids).size]).toEqual([240, 240]);
  expect(batch.request_counts).toEqual({ total: 240, completed: 240, failed: 0 });
  const seen: { requests: number } = JSON.parse(await (await fetch(`${engine.url}/seen`)).text());
  // Only what held one of the eight places at the kill was asked twice: a place is held until the answer is written down.
  expect(seen.requests).toBeLessThanOrEqual(240 + 8);
});

test("cancelled: what is under way is abandoned, the rest is told as unanswered", async () => {
  await using node = await new BatchNode().open(engine.url);
  const made = await node.create([
    ...many(5),
    ...Array.from({ length: 40 }, (_, n) => line(`wait-${n}`, "[slow 60000]")),
  ]);
  await expect.poll(() => [node.answered(made.id), node.asked.length > 6], PATIENT).toEqual([5, true]);
  const cancelling = await node.client().batches.cancel(made.id);
  expect(cancelling.status).toBe("cancelling");
  const batch = await node.until(made.id, "cancelled");
  expect(batch.request_counts).toEqual({ total: 45, completed: 5, failed: 40 });
  expect(batch.cancelled_at).toBeGreaterThanOrEqual(batch.cancelling_at ?? Infinity);
  expect((await node.lines(batch.error_file_id))[0]).toMatchObject({
    response: null,
    error: { code: "batch_cancelled" },
  });
  await expect
    .poll(async () => JSON.parse(await (await fetch(`${engine.url}/seen`)).text()).aborted, PATIENT)
    .toBeGreaterThan(0);
  await expect(node.client().batches.cancel(made.id)).rejects.toMatchObject({ code: "batch_ended" });
});

test("the window ends: answers so far are kept, the rest has expired", async () => {
  await using node = await new BatchNode().open(engine.url, {}, false);
  const made = await node.create([...many(3), line("late", "[slow 60000]")], "ada", "60m");
  node.start();
  await expect.poll(() => node.answered(made.id), PATIENT).toBe(3);
  await node.runner?.close();
  node.now += 3_600_000;
  node.start();
  const batch = await node.until(made.id, "expired");
  expect(batch.request_counts).toEqual({ total: 4, completed: 3, failed: 1 });
  expect((await node.lines(batch.error_file_id)).map((entry) => entry["error"])).toMatchObject([
    { code: "batch_expired" },
  ]);
});

test("waits while there is no room, begins when there is, and slows down where it is refused", async () => {
  await using node = await new BatchNode().open(engine.url, { retryPause: 50 });
  node.free = 0;
  const made = await node.create([...many(3), line("busy", "x [503]")]);
  await node.until(made.id, "in_progress");
  expect(node.asked).toEqual([]);
  node.free = 1;
  await expect.poll(() => node.asked.length, PATIENT).toBeGreaterThan(4);
  const busy = node.asked.filter(({ body }) => JSON.stringify(body).includes("[503]"));
  // A refusal is no answer: it is asked again for as long as the window is open.
  expect(busy.length).toBeGreaterThan(1);
  expect((await node.client().batches.retrieve(made.id)).status).toBe("in_progress");
  await node.client().batches.cancel(made.id);
  expect((await node.until(made.id, "cancelled")).request_counts).toEqual({
    total: 4,
    completed: 3,
    failed: 1,
  });
});

test("a key that is no more ends its batches; a file that is gone too", async () => {
  await using node = await new BatchNode().open(engine.url, {}, false);
  const orphan = await node.create(many(2), "eve");
  const lost = await node.create(many(2));
  node.gone.add("eve");
  await node.client().files.delete(lost.input_file_id);
  node.start();
  const codes = [await node.until(orphan.id, "failed"), await node.until(lost.id, "failed")].map(
    ({ errors }) => errors?.data?.[0]?.code,
  );
  expect(codes).toEqual(["key_gone", "batch_failed"]);
});

test("keys take turns, and only so many ended batches are kept", async () => {
  await using node = await new BatchNode().open(engine.url, { atOnce: 1, kept: 2 }, false);
  const made = [
    await node.create(many(2), "ada"),
    await node.create(many(2), "ada"),
    await node.create(many(2), "bob"),
  ];
  node.start();
  for (const { id } of made) await node.until(id, "completed");
  node.now += 1000;
  const last = await node.create(many(1), "bob");
  await node.until(last.id, "completed");
  expect((await node.client("admin").batches.list()).data).toHaveLength(2);
});
