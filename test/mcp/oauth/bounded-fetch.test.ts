import { expect, test } from "vitest";

import { boundedFetch, fetchOfServer } from "../../../src/mcp/oauth/bounded-fetch.ts";
import { startFileServer } from "../../fakes/file-server.ts";

test("An answer that does not come, or does not end, is given up", async () => {
  const server = await startFileServer({
    "/silent": () => undefined,
    "/endless": (_, res) => {
      res.writeHead(200).write("{");
    },
  });
  try {
    for (const path of ["/silent", "/endless"]) {
      await expect(boundedFetch(globalThis.fetch, 100)(`${server.url}${path}?secret=1`)).rejects.toThrow(
        `${server.url}${path} did not answer within 0.1 s`,
      );
    }
  } finally {
    await server.close();
  }
});

test("Who asked can stop asking", async () => {
  const server = await startFileServer({ "/silent": () => undefined });
  try {
    const stop = new AbortController();
    const asked = boundedFetch()(`${server.url}/silent`, { signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(asked).rejects.toThrow("enough");
  } finally {
    await server.close();
  }
});

test("A server elsewhere cannot send the node to its own machine, or where others can listen", async () => {
  const seen: string[] = [];
  const fetch = fetchOfServer("https://mcp.example.com/mcp", (url) => {
    seen.push(String(url));
    return Promise.resolve(new Response("{}"));
  });
  for (const address of ["http://127.0.0.1:8080/token", "http://localhost/", "http://login.example.com/"]) {
    await expect(fetch(address)).rejects.toThrow(/is no https address, and nothing is sent to it/);
  }
  await fetch("https://login.example.com/token");
  expect(seen).toEqual(["https://login.example.com/token"]);
});
