import { toFile } from "openai";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { eventually } from "./run-node.ts";
import type { SdkNode } from "./sdk-node.ts";
import { describeEngines, startSdkNode } from "./sdk-node.ts";
import { QUESTION, TEXT } from "./sdk-questions.ts";

let node: SdkNode;
beforeAll(async () => {
  node = await startSdkNode(["talks"]);
});
afterAll(() => node?.stop());

const LINE = z.looseObject({
  custom_id: z.string(),
  response: z.looseObject({ status_code: z.int(), body: z.record(z.string(), z.unknown()) }).nullable(),
});

const linesOf = (text: string): z.infer<typeof LINE>[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => LINE.parse(JSON.parse(line)));

describeEngines("files and batches of the openai client", ({ talks }) => {
  it("keeps a file, runs its lines and gives the answers back", async () => {
    const { files, batches } = node.openai();
    const body = { messages: [...QUESTION], temperature: 0, max_tokens: 60 };
    const lines = [talks, talks, "nobody", talks].map((model, i) =>
      JSON.stringify({
        custom_id: `line-${i}`,
        method: "POST",
        url: "/v1/chat/completions",
        body: { model, ...body },
      }),
    );
    const content = lines.join("\n");
    const file = await files.create({
      file: await toFile(Buffer.from(content), "in.jsonl"),
      purpose: "batch",
    });
    expect(file).toMatchObject({ object: "file", filename: "in.jsonl", bytes: Buffer.byteLength(content) });
    expect(await (await files.content(file.id)).text()).toBe(content);

    const { id } = await batches.create({
      input_file_id: file.id,
      endpoint: "/v1/chat/completions",
      completion_window: "24h",
    });
    await eventually(async () => (await batches.retrieve(id)).status === "completed");
    const batch = await batches.retrieve(id);
    expect(batch.request_counts).toEqual({ total: 4, completed: 3, failed: 1 });
    const answers = linesOf(await (await files.content(batch.output_file_id ?? "")).text());
    expect(answers.map(({ custom_id }) => custom_id).toSorted()).toEqual(["line-0", "line-1", "line-3"]);
    for (const { response } of answers)
      expect(response?.body).toMatchObject({ choices: [{ message: { content: TEXT } }] });
    const errors = linesOf(await (await files.content(batch.error_file_id ?? "")).text());
    expect(errors).toMatchObject([{ custom_id: "line-2", response: { status_code: 404 } }]);

    const ids: string[] = [];
    for await (const one of batches.list()) ids.push(one.id);
    expect(ids).toContain(id);
    expect(await files.delete(file.id)).toMatchObject({ id: file.id, deleted: true });
  });
});
