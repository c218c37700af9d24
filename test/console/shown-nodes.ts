import { join } from "node:path";
import { ROOT, startNode, temporaryFolder } from "../e2e/run-node.ts";
import type { RunningNode } from "../e2e/run-node.ts";
import { builtConsole } from "./built-console.ts";

/** A node of a test's own, which serves the console as it is in the tree. */
export interface ShownNode extends RunningNode {
  end(): Promise<void>;
}

/** What a node of the tests runs: nothing is the demo. */
export const CONCRETE_BUNKER = [join(ROOT, "examples/concrete-bunker.fixed.yaml"), "--simulate"];

export async function showNode(args: readonly string[]): Promise<ShownNode> {
  await builtConsole();
  const state = temporaryFolder();
  const node = await startNode(args, state.path);
  return {
    ...node,
    end: async () => {
      await node.interrupt();
      state.remove();
    },
  };
}

/** Asks a model of a node for a short answer, as a stream, to its end. Throws where there is none. */
export async function askModel(url: string, model: string): Promise<void> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      model,
      stream: true,
      max_tokens: 8,
      messages: [{ role: "user", content: "What is a runbook?" }],
    }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${model} answered ${response.status}: ${text}`);
}
