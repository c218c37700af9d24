import { request } from "undici";

import type { Gateway, GatewayOptions } from "../../src/gateway/index.ts";
import { createGateway } from "../../src/gateway/index.ts";
import type { RouteView } from "../../src/supervisor/backends.ts";
import type { FakeService } from "./fake-backends.ts";
import { FakeBackends } from "./fake-backends.ts";
import { MemoryEventLog } from "./memory-event-log.ts";

/** What a client got, with the body as it came. */
export interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  readonly text: string;
}

/** A gateway over fake engines, both real; `await using` closes it and leaves nothing behind. */
export class GatewayUnderTest implements AsyncDisposable {
  readonly url: string;
  readonly backends: FakeBackends;
  readonly events: MemoryEventLog;
  readonly gateway: Gateway;

  constructor(url: string, backends: FakeBackends, events: MemoryEventLog, gateway: Gateway) {
    this.url = url;
    this.backends = backends;
    this.events = events;
    this.gateway = gateway;
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Got> {
    return send(this.url, "GET", path, undefined, headers);
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Got> {
    return send(this.url, "POST", path, body, headers);
  }

  /** A chat request whose last message is `content`; orders in brackets are for the fake engine. */
  chat(content: string, more: Record<string, unknown> = {}): Promise<Got> {
    return this.post("/v1/chat/completions", chatBody(content, more));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway.close(0);
    await this.backends.close();
  }
}

export const chatBody = (content: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  model: "a",
  messages: [{ role: "user", content }],
  ...more,
});

/** Sends one request and reads the whole answer; rejects when the connection is cut. */
export async function send(
  url: string,
  method: "GET" | "POST" | "HEAD" | "OPTIONS" | "DELETE",
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Got> {
  const sent = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const type = sent === undefined ? {} : { "content-type": "application/json" };
  const answer = await request(url + path, {
    method,
    headers: { ...type, ...headers },
    ...(sent === undefined ? {} : { body: sent }),
  });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  return { status: answer.statusCode, headers: answer.headers, body: bytes, text: bytes.toString() };
}

/** Starts fake engines and a gateway before them on a free port; one service "a" where none are given. */
export async function startGateway(
  services: readonly FakeService[] = [{ name: "a" }],
  routes: readonly RouteView[] = [],
  options: Partial<GatewayOptions> = {},
): Promise<GatewayUnderTest> {
  const backends = await new FakeBackends(services, routes).open();
  const events = new MemoryEventLog();
  const gateway = createGateway({
    backends,
    events,
    host: "127.0.0.1",
    port: 0,
    version: "0.0.1",
    ...options,
  });
  try {
    const { url } = await gateway.listen();
    return new GatewayUnderTest(url, backends, events, gateway);
  } catch (thrown) {
    await backends.close();
    throw thrown;
  }
}

/** Waits until `condition` holds; throws after `timeout` milliseconds. */
export async function until(condition: () => boolean | Promise<boolean>, timeout = 15_000): Promise<void> {
  const end = Date.now() + timeout;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not reached within ${timeout} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
