import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

interface Asked {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface RecordingOptions {
  /** Tells no usage. */
  readonly silent?: boolean;
  /** Milliseconds between two tokens. */
  readonly pause?: number;
  /** Answers itself in place of the server; `true` when it did. Told how many requests came before. */
  readonly instead?: (asked: Asked, before: number, response: ServerResponse) => boolean;
}

/** A server of the dialect in this process that keeps what it was asked. It counts words as tokens. */
export interface RecordingServer extends AsyncDisposable {
  readonly origin: string;
  readonly asked: readonly Asked[];
  /** Prompts of the chat and completion requests, in order. */
  readonly prompts: () => readonly string[];
}

export async function startRecording(options: RecordingOptions = {}): Promise<RecordingServer> {
  const asked: Asked[] = [];
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const one = { path: request.url ?? "", body: await readBody(request) };
    const before = asked.length;
    if (request.method === "POST") asked.push(one);
    if (options.instead?.(one, before, response) !== true) answer(one, response, options);
  };
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    origin: `http://127.0.0.1:${port}`,
    asked,
    prompts: () => asked.map(({ body }) => promptIn(body)),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function readBody(request: IncomingMessage): Promise<Asked["body"]> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text === "" ? {} : JSON.parse(text);
}

/** Text of the last message, or the prompt or input itself. */
function promptIn({ messages, prompt, input }: Asked["body"]): string {
  const last: unknown = Array.isArray(messages) ? messages.at(-1)?.content : (prompt ?? input);
  return typeof last === "string" ? last : "";
}

export function sendJson(response: ServerResponse, status: number, value: unknown): true {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
  return true;
}

function answer({ path, body }: Asked, response: ServerResponse, options: RecordingOptions): void {
  const tokens = promptIn(body).split(/\s+/).length;
  if (path === "/v1/chat/completions")
    void stream(response, tokens, Number(body["max_tokens"] ?? 1), options);
  else if (path === "/v1/models") sendJson(response, 200, { object: "list", data: [{ id: "m" }] });
  else if (path === "/v1/embeddings")
    sendJson(response, 200, { data: [{ embedding: [0.5, -1] }], usage: { prompt_tokens: tokens } });
  else if (path === "/v1/images/generations") sendJson(response, 200, { data: [{ b64_json: "aGk=" }] });
  else sendJson(response, 404, { error: { message: "no such path" } });
}

async function stream(
  response: ServerResponse,
  prompt: number,
  tokens: number,
  { silent = false, pause = 0 }: RecordingOptions,
): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const send = (value: unknown): unknown => response.write(`data: ${JSON.stringify(value)}\n\n`);
  for (let index = 0; index < tokens && !response.destroyed; index++) {
    send({ choices: [{ index: 0, delta: { content: "w " } }] });
    if (pause > 0) await sleep(pause);
  }
  send({ choices: [{ index: 0, delta: {}, finish_reason: "length" }] });
  if (!silent) send({ choices: [], usage: { prompt_tokens: prompt, completion_tokens: tokens } });
  response.end("data: [DONE]\n\n");
}
