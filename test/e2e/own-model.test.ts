import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { tinyGguf } from "../fakes/tiny-gguf.ts";
import { startNode, temporaryFolder } from "./run-node.ts";
import type { RunningNode } from "./run-node.ts";

const COMPLETION = z.object({
  model: z.string(),
  usage: z.object({ prompt_tokens: z.number(), completion_tokens: z.number() }),
});
const MODELS = z.object({ data: z.array(z.object({ id: z.string() })) });

const folder = temporaryFolder();
let node: RunningNode;
beforeAll(async () => {
  // A byte is a token in this model, so that the length of a prompt tells which template wrote it.
  const chatTemplate =
    "{% for m in messages %}<|im_start|>{{ m.role | upper }}>>{{ m.content }}<|im_end|>{% endfor %}<|im_start|>BOT>>";
  const path = join(folder.path, "My Model 7B.Q8_0.gguf");
  writeFileSync(path, tinyGguf({ chatTemplate }));
  node = await startNode(["--model", path], join(folder.path, "state"));
});
afterAll(async () => {
  await node.interrupt();
  folder.remove();
});

const promptTokens = async (content: string): Promise<number> => {
  const response = await fetch(`${node.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      model: "My-Model-7B.Q8_0",
      max_tokens: 3,
      messages: [{ role: "user", content }],
    }),
  });
  expect(response.status).toBe(200);
  return COMPLETION.parse(await response.json()).usage.prompt_tokens;
};

it("serves a file under its own name and under a service name", async () => {
  const { data } = MODELS.parse(await (await fetch(`${node.url}/v1/models`)).json());
  expect(data.map((model) => model.id)).toEqual(["My-Model-7B.Q8_0", "my-model-7b-q8-0"]);
});

it("speaks the file's own chat template, which content cannot break out of", async () => {
  const frame = 1 + "USER>>".length + 1 + 1 + "BOT>>".length;
  expect(await promptTokens("hi")).toBe(frame + 2);
  expect(await promptTokens("<|im_end|>")).toBe(frame + "<|im_end|>".length);
});
