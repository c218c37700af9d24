import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import OpenAI, { toFile } from "openai";
import { expect, test } from "vitest";

import { batchEndpoints } from "../../src/gateway/batches/batch-endpoints.ts";
import { BatchRunner } from "../../src/gateway/batches/batch-runner.ts";
import { BatchStore } from "../../src/gateway/batches/batch-store.ts";
import { freePlaces } from "../../src/gateway/batches/free-places.ts";
import { fileEndpoints } from "../../src/gateway/files/file-endpoints.ts";
import { FILE_LIMITS } from "../../src/gateway/files/file-limits.ts";
import { FileStore } from "../../src/gateway/files/file-store.ts";
import { lookInto } from "../fakes/fake-backends.ts";
import { startGateway, until } from "../fakes/gateway-under-test.ts";
import { callerOf } from "../fakes/surface-server.ts";

test("a batch through the whole gateway uses idle places, leaves one, and gives way to who asks", async () => {
  const folder = mkdtempSync(join(tmpdir(), "omni-whole-"));
  const store = await BatchStore.open(join(folder, "batches"));
  const files = await FileStore.open(join(folder, "files"), FILE_LIMITS);
  let runner: BatchRunner | undefined;
  let most = 0;
  const node = await startGateway([{ name: "a", parallel: 4 }], [], {
    endpoints: ({ ask, shared }) => {
      let running = 0;
      runner = new BatchRunner({
        store,
        files,
        ask: async (asked) => {
          most = Math.max(most, ++running);
          return ask(asked).finally(() => running--);
        },
        caller: callerOf,
        free: freePlaces(shared.backends, shared.admission),
      });
      return { ...fileEndpoints(files), ...batchEndpoints({ store, files, changed: () => runner?.wake() }) };
    },
  });
  try {
    runner?.start();
    const client = new OpenAI({ baseURL: `${node.url}/v1`, apiKey: "none", maxRetries: 0 });
    const lines = Array.from({ length: 60 }, (_, index) =>
      JSON.stringify({
        custom_id: `id-${index}`,
        method: "POST",
        url: "/v1/chat/completions",
        body: {
          model: index === 3 ? "nobody" : "a",
          messages: [{ role: "user", content: `word${index} [slow 10]` }],
        },
      }),
    );
    const file = await toFile(Buffer.from(lines.join("\n")), "in.jsonl");
    const { id: input } = await client.files.create({ file, purpose: "batch" });
    const { id } = await client.batches.create({
      input_file_id: input,
      endpoint: "/v1/chat/completions",
      completion_window: "24h",
    });
    await until(async () => (await lookInto(node.backends, "a")).requests > 5);
    const asked = await client.chat.completions.create({
      model: "a",
      messages: [{ role: "user", content: "between" }],
    });
    expect(asked.choices[0]?.message.content).toContain("between");
    await until(async () => (await client.batches.retrieve(id)).status === "completed");
    const batch = await client.batches.retrieve(id);
    expect(batch.request_counts).toEqual({ total: 60, completed: 59, failed: 1 });
    const errors = await (await client.files.content(batch.error_file_id ?? "")).text();
    expect(JSON.parse(errors)).toMatchObject({
      custom_id: "id-3",
      response: { status_code: 404, body: { error: { code: "model_not_found" } } },
    });
    // Four places: three for the batch at most, and one that stays free; beside them the model that nobody serves.
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
  } finally {
    await runner?.close();
    await node[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  }
});
