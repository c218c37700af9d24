import { request } from "undici";

import type { AskInside, InsideRequest } from "../../src/gateway/inside-call.ts";

/** What the gateway would answer if it asked one engine and nobody else: status, headers and body as they came. */
export const askEngine =
  (url: string, seen: (asked: InsideRequest) => void = () => {}): AskInside =>
  async (asked) => {
    seen(asked);
    const answer = await request(url + asked.path, {
      method: "POST",
      body: JSON.stringify(asked.body),
      signal: asked.signal,
    });
    const headers = Object.fromEntries(
      Object.entries(answer.headers).map(([name, value]) => [name, String(value)]),
    );
    return { status: answer.statusCode, headers, body: Buffer.from(await answer.body.arrayBuffer()) };
  };
