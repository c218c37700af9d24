import { createServer } from "node:http";
import type { RequestListener, Server } from "node:http";
import { afterEach, expect, test } from "vitest";
import { EngineClient } from "./engine-client.ts";

let server: Server | undefined;
let client: EngineClient | undefined;

afterEach(async () => {
  client?.close();
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
});

async function listen(listener: RequestListener): Promise<number> {
  const listening = createServer(listener);
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  const address = listening.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}
const never = new AbortController().signal;

test("a server elsewhere is asked at its base path, with its key", async () => {
  const port = await listen(({ url, headers }, response) =>
    response.end(JSON.stringify({ url, key: headers.authorization })),
  );
  const origin = `http://127.0.0.1:${port}`;
  client = new EngineClient({ kind: "url", origin, base: "/api/v1", headers: { authorization: "Bearer k" } });
  const { status, body } = await client.ask({ method: "GET", path: "/v1/models" }, 5000, never);
  expect([status, JSON.parse(body)]).toEqual([200, { url: "/api/v1/models", key: "Bearer k" }]);
});

test("a connection is kept, and one that the engine closed meanwhile is no fault", async () => {
  const sockets = new Set<unknown>();
  const port = await listen(({ socket }, response) => {
    sockets.add(socket);
    response.end("ok");
  });
  client = new EngineClient({ kind: "tcp", host: "127.0.0.1", port });
  const ask = () => client?.ask({ method: "POST", path: "/probe", body: "{}" }, 5000, never);
  await ask();
  expect(await ask()).toEqual({ status: 200, body: "ok" });
  expect(sockets.size).toBe(1);
  server?.closeAllConnections();
  expect(await ask()).toEqual({ status: 200, body: "ok" });
  expect(sockets.size).toBe(2);
});

test("an answer that does not come is given up in time, and told without a secret", async () => {
  const port = await listen(() => {});
  const origin = `http://127.0.0.1:${port}`;
  client = new EngineClient({
    kind: "url",
    origin,
    base: "/v1",
    headers: { authorization: "Bearer secret" },
  });
  const asked = client.ask({ method: "GET", path: "/v1/models" }, 50, never);
  await expect(asked).rejects.toThrow(/^no answer within 50 ms$/);
});
