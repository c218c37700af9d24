import { request } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";

import { PROMPT_END } from "../../fakes/fault-words.ts";

export const DIALECTS = ["chat", "completions", "responses", "messages"] as const;
export type Dialect = (typeof DIALECTS)[number];

/** What a client got, to the last byte, and whether its connection ended in good order. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly ended: "clean" | "torn";
}

export const PATHS: Readonly<Record<Dialect, string>> = {
  chat: "/v1/chat/completions",
  completions: "/v1/completions",
  responses: "/v1/responses",
  messages: "/v1/messages",
};

/** A request in a dialect that carries orders for engines. Completions do not ask for the usage of their stream. */
export function bodyOf(
  dialect: Dialect,
  model: string,
  orders: string,
  stream: boolean,
): Record<string, unknown> {
  const prompt = `Sing a song ${orders}${PROMPT_END}`;
  const messages = [{ role: "user", content: prompt }];
  switch (dialect) {
    case "chat":
      return { model, stream, messages, ...(stream ? { stream_options: { include_usage: true } } : {}) };
    case "completions":
      return { model, stream, prompt };
    case "responses":
      return { model, stream, input: prompt, store: false };
    case "messages":
      return { model, stream, messages, max_tokens: 100 };
  }
}

export interface Sending {
  readonly url: string;
  readonly dialect: Dialect;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Called with each part of the answer; what it destroys is gone at once. */
  readonly onPart?: (text: string, res: IncomingMessage) => void;
}

/** Sends a request on a connection of its own and reads what comes, also what is left of an answer that breaks off. */
export function ask({ url, dialect, body, headers = {}, onPart }: Sending): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = Buffer.from(JSON.stringify(body));
    const all = { "content-type": "application/json", "content-length": sent.length, ...headers };
    const req = request(url + PATHS[dialect], { method: "POST", agent: false, headers: all }, (res) => {
      const chunks: Buffer[] = [];
      const done = (ended: Answer["ended"]) => (): void =>
        resolve({
          status: res.statusCode ?? 0,
          headers: res.headers,
          text: Buffer.concat(chunks).toString(),
          ended,
        });
      res.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        onPart?.(Buffer.concat(chunks).toString(), res);
      });
      res.on("end", done("clean")).on("error", done("torn"));
    });
    req.on("error", reject);
    req.end(sent);
  });
}
