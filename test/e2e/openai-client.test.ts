import { afterAll, beforeAll } from "vitest";
import { describeOpenAIContract } from "../contract/openai-client.ts";
import { startNode, temporaryFolder } from "./run-node.ts";
import type { RunningNode } from "./run-node.ts";

const folder = temporaryFolder();
let node: RunningNode;
beforeAll(async () => {
  node = await startNode([], folder.path);
});
afterAll(async () => {
  await node.interrupt();
  folder.remove();
});

describeOpenAIContract("the demo node, its real engine and model", {
  baseUrl: () => node.url,
  model: "omni-demo",
  embeddingModel: "omni-demo",
  tools: true,
  jsonSchema: true,
});
