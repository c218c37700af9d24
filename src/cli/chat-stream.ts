import { z } from "zod";
import { OmniError } from "../core/index.ts";
import { authorization, request } from "./node-client.ts";

export interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

export interface Answer {
  readonly text: string;
  /** Service and engine that answered, from the answer's headers. */
  readonly servedBy: string;
  readonly completionTokens: number | undefined;
  /** Milliseconds to the first piece of text, and to the end. */
  readonly firstToken: number;
  readonly total: number;
}

const CHUNK = z.object({
  choices: z.array(z.object({ delta: z.object({ content: z.string().nullish() }).optional() })).optional(),
  usage: z.object({ completion_tokens: z.number().optional() }).nullish(),
  error: z.object({ message: z.string().optional() }).optional(),
});

export interface Question {
  readonly base: string;
  readonly model: string;
  readonly messages: readonly Message[];
  readonly signal: AbortSignal;
  readonly onText: (text: string) => void;
}

/** Asks and hands on the answer piece by piece. Throws `OmniError` when the node refuses or the answer is cut. */
export async function streamAnswer(question: Question): Promise<Answer> {
  const started = performance.now();
  const response = await request(`${question.base}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...authorization() },
    body: JSON.stringify({
      model: question.model,
      messages: question.messages,
      stream: true,
      stream_options: { include_usage: true },
    }),
    signal: question.signal,
  });
  let text = "";
  let firstToken: number | undefined;
  let completionTokens: number | undefined;
  let whole = false;
  for await (const data of eventData(response)) {
    if (data === "[DONE]") {
      whole = true;
      break;
    }
    const chunk = CHUNK.parse(JSON.parse(data));
    if (chunk.error !== undefined)
      throw new OmniError(
        "engine.crashed",
        `The answer was cut: ${chunk.error.message ?? "no reason given"}`,
      );
    completionTokens = chunk.usage?.completion_tokens ?? completionTokens;
    const piece = chunk.choices?.[0]?.delta?.content ?? "";
    if (piece === "") continue;
    firstToken ??= performance.now() - started;
    text += piece;
    question.onText(piece);
  }
  if (!whole) throw new OmniError("engine.crashed", "The answer ended in the middle.");
  const servedBy = `${response.headers.get("x-omni-service") ?? "?"} (${response.headers.get("x-omni-engine") ?? "?"})`;
  const total = performance.now() - started;
  return { text, servedBy, completionTokens, firstToken: firstToken ?? total, total };
}

/** The `data:` payloads of a server-sent event stream, in order. */
async function* eventData(response: Response): AsyncGenerator<string> {
  if (response.body === null) return;
  let buffer = "";
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    buffer += piece;
    for (let end = buffer.indexOf("\n\n"); end >= 0; end = buffer.indexOf("\n\n")) {
      const event = buffer.slice(0, end);
      buffer = buffer.slice(end + 2);
      const data = event
        .split("\n")
        .filter((line) => line.startsWith("data:"))
        .map((line) => line.slice(5).trimStart());
      if (data.length > 0) yield data.join("\n");
    }
  }
}
