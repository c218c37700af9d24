import { Agent } from "undici";
import type { Dispatcher } from "undici";
import { messageOf } from "../core/index.ts";
import type { ClientAnswer } from "./client-answer.ts";
import { streamOutcome, wholeOutcome } from "./client-answer.ts";
import type { NodeApi } from "./node-api.ts";

export interface ClientsInput {
  readonly node: NodeApi;
  /** Name that the clients ask for. */
  readonly model: string;
  /** Clients that ask again as soon as they are answered; every other one streams. */
  readonly count: number;
  /** Tokens of an answer. */
  readonly tokens: number;
  /** Longest a client waits for the end of an answer, ms. */
  readonly patience: number;
}

/** Clients at work. */
export interface Clients {
  readonly answers: readonly ClientAnswer[];
  /** Lets each client finish what it has begun, or cuts that, and ends them. */
  stop(atOnce?: boolean): Promise<void>;
}

/** Pause of a client that was refused, ms: real clients honour Retry-After, these only do not hammer. */
const AFTER_REFUSAL = 250;

/** Starts clients that ask a node without a pause until they are stopped. */
export function startClients(input: ClientsInput): Clients {
  const agent = new Agent({ connections: input.count, pipelining: 1, bodyTimeout: 0, headersTimeout: 0 });
  const answers: ClientAnswer[] = [];
  const end = new AbortController();
  const working = (): boolean => !end.signal.aborted;
  const work = Array.from({ length: input.count }, async (_, index) => {
    for (let turn = 0; working(); turn++) {
      const answer = await ask(input, agent, index % 2 === 0, `client ${index} turn ${turn}: count slowly`);
      answers.push(answer);
      if (answer.outcome !== "answered" && working())
        await new Promise((resolve) => setTimeout(resolve, AFTER_REFUSAL));
    }
  });
  return {
    answers,
    async stop(atOnce = false): Promise<void> {
      end.abort();
      if (atOnce) await agent.destroy();
      await Promise.all(work);
      if (!agent.destroyed) await agent.close();
    },
  };
}

async function ask(
  { node, model, tokens, patience }: ClientsInput,
  agent: Dispatcher,
  stream: boolean,
  content: string,
): Promise<ClientAnswer> {
  const began = performance.now();
  let firstByte: number | undefined;
  let head: Record<string, string | string[] | undefined> = {};
  const facts = (): Pick<ClientAnswer, "service" | "attempts" | "firstByte"> => ({
    ...(typeof head["x-omni-service"] === "string" ? { service: head["x-omni-service"] } : {}),
    ...(typeof head["x-omni-attempts"] === "string" ? { attempts: Number(head["x-omni-attempts"]) } : {}),
    ...(firstByte === undefined ? {} : { firstByte }),
  });
  const limit = AbortSignal.timeout(patience);
  try {
    const { origin } = new URL(node.url);
    const { statusCode, headers, body } = await agent.request({
      origin,
      path: "/v1/chat/completions",
      method: "POST",
      headers: { ...node.headers, "content-type": "application/json" },
      body: JSON.stringify({
        model,
        stream,
        max_tokens: tokens,
        messages: [{ role: "user", content }],
      }),
      signal: limit,
    });
    head = headers;
    let text = "";
    for await (const chunk of body) {
      firstByte ??= performance.now();
      text += String(chunk);
    }
    const isStream = String(headers["content-type"] ?? "").startsWith("text/event-stream");
    const seen = isStream ? streamOutcome(text) : wholeOutcome(statusCode, text);
    return { stream, began, ended: performance.now(), ...facts(), ...seen };
  } catch (error) {
    // A connection that breaks in the middle is no clean end: the client's library throws.
    const outcome = limit.aborted ? "silent" : firstByte === undefined ? "refused" : "cut";
    return { stream, began, ended: performance.now(), ...facts(), outcome, detail: messageOf(error) };
  }
}
