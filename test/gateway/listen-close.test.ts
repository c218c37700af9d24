import { createServer } from "node:net";
import { once } from "node:events";
import { describe, expect, it } from "vitest";

import { OmniError } from "../../src/core/index.ts";
import type { GatewayOptions } from "../../src/gateway/index.ts";
import { createGateway } from "../../src/gateway/index.ts";
import { FakeBackends, lookInto } from "../fakes/fake-backends.ts";
import { startGateway, until } from "../fakes/gateway-under-test.ts";
import { MemoryEventLog } from "../fakes/memory-event-log.ts";
import { keyGateOf } from "../fakes/key-gate-of.ts";

/** What `listen` throws; fails the test when it listens. */
async function listenError(options: Partial<GatewayOptions>): Promise<OmniError> {
  const backends = new FakeBackends([]);
  const gateway = createGateway({
    backends,
    events: new MemoryEventLog(),
    host: "127.0.0.1",
    port: 0,
    version: "0.0.1",
    ...options,
  });
  try {
    await gateway.listen();
  } catch (thrown) {
    if (thrown instanceof OmniError) return thrown;
    throw thrown;
  } finally {
    await gateway.close(0);
    await backends.close();
  }
  throw new Error("it listens");
}

describe("listen", () => {
  it("names the port and who holds it", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const error = await listenError({ port });
    other.close();
    expect([error.code, error.exitCode]).toEqual(["node.port-busy", 1]);
    expect(error.message).toContain(`Port ${port} on 127.0.0.1`);
    expect(error.message).toMatch(
      process.platform === "linux" ? `process ${process.pid} (` : "another program",
    );
  });

  it("names an address that this machine does not have", async () => {
    const error = await listenError({ host: "192.0.2.1", keys: keyGateOf({ sk: {} }) });
    expect([error.code, error.exitCode]).toEqual(["node.bad-address", 1]);
    expect(error.message).toContain("192.0.2.1");
  });

  it.each(["0.0.0.0", "::", "192.0.2.1", ""])("refuses to serve %j without keys", async (host) => {
    const error = await listenError({ host });
    expect([error.code, error.exitCode]).toEqual(["node.open-without-keys", 3]);
  });

  it("serves every address with keys, and names no wildcard in its url", async () => {
    await using node = await startGateway([{ name: "a" }], [], {
      host: "0.0.0.0",
      keys: keyGateOf({ sk: {} }),
    });
    expect(node.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await node.get("/v1/models", { "x-api-key": "sk", host: "node.example" })).status).toBe(200);
  });
});

describe("close", () => {
  it("lets streams finish within the deadline and accepts nothing new", async () => {
    await using node = await startGateway();
    const running = node.chat("one two three four five [slow 100]", { stream: true });
    await until(async () => (await lookInto(node.backends, "a")).events > 0);
    const start = performance.now();
    const closed = node.gateway.close(20_000);
    await expect(node.get("/healthz")).rejects.toThrow("ECONNREFUSED");
    const answer = await running;
    expect(answer.text.endsWith("data: [DONE]\n\n")).toBe(true);
    await closed;
    expect(performance.now() - start).toBeLessThan(15_000);
  });

  it("cuts what is left at the deadline, each in its own way", async () => {
    await using node = await startGateway([{ name: "a" }, { name: "b", start: false }]);
    node.backends.set("b", "loading");
    const stream = node.chat("one two three [stall-after 1]", { stream: true });
    const silent = node.chat("[stall] x");
    const waiting = node.chat("x", { model: "b" });
    await until(async () => (await lookInto(node.backends, "a")).requests === 2);
    await until(async () => (await lookInto(node.backends, "a")).events === 1);
    await node.gateway.close(300);
    expect((await stream).text).toMatch(/data: \{"error":.*"node_stopping"\}\}\n\n$/);
    for (const answer of [await silent, await waiting]) {
      expect([answer.status, answer.headers["retry-after"]]).toEqual([503, "5"]);
      expect(answer.text).toContain('"node_stopping"');
    }
    await until(async () => (await lookInto(node.backends, "a")).aborted === 2);
  });

  it("a second call with less time hurries the first", async () => {
    await using node = await startGateway();
    const stream = node.chat("one two three [stall-after 1]", { stream: true });
    await until(async () => (await lookInto(node.backends, "a")).events === 1);
    const patient = node.gateway.close(600_000);
    await Promise.all([node.gateway.close(0), patient]);
    expect((await stream).text).toMatch(/data: \{"error":.*"node_stopping"\}\}\n\n$/);
  });

  it("ends idle connections at once", async () => {
    await using node = await startGateway();
    await node.get("/healthz");
    const start = performance.now();
    await node.gateway.close(60_000);
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});
