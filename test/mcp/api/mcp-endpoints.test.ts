import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";

import { mcpEndpoints } from "../../../src/api/endpoints/index.ts";
import type { Caller } from "../../../src/keys/caller.ts";
import { startEndpoints } from "../../fakes/endpoint-server.ts";
import type { EndpointServer } from "../../fakes/endpoint-server.ts";
import { ScriptedHub } from "../../fakes/scripted-hub.ts";

const ANN: Caller = { key: "ann", admin: true, upstream: false, priority: 5, subject: "ann@example.com" };
let hub = new ScriptedHub();
const endpoints = mcpEndpoints(async () => hub);
let server: EndpointServer;
beforeAll(async () => {
  server = await startEndpoints(endpoints, [ANN]);
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  hub = new ScriptedHub();
});

async function ask(path: string, body?: unknown, key = "local"): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${server.url}/api/mcp/${path}`, {
    headers: { authorization: `Bearer ${key}` },
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: await answer.json() };
}

const refused = (status: number, code: string, message: string) => ({
  status,
  body: { error: expect.objectContaining({ code, message: expect.stringContaining(message) }) },
});

const HASH = "a".repeat(64);
const PIN = {
  server: "files",
  tool: "erase",
  hash: "b".repeat(64),
  definition: "{}",
  accepted: 0,
  by: "first use",
};

it("is for keys with admin alone, all of it", () => {
  expect(Object.values(endpoints).map(({ admin, open }) => [admin, open])).toEqual(
    Object.keys(endpoints).map(() => [true, undefined]),
  );
});

it("shows servers, and their tools beside those that a dead server hides", async () => {
  hub.pinned = [{ ...PIN, tool: "old", offered: { hash: HASH, definition: "{}", seen: 0 } }];
  expect(await ask("servers")).toMatchObject({
    status: 200,
    body: { servers: [{ name: "files" }, { state: "failed" }] },
  });
  expect((await ask("tools")).body).toEqual({
    tools: [
      {
        server: "files",
        tool: "read",
        name: "files__read",
        description: "read a file",
        readOnly: true,
        destructive: false,
        needsApproval: false,
        quarantined: false,
      },
      expect.objectContaining({ tool: "erase", destructive: true, needsApproval: true }),
      expect.objectContaining({ tool: "old", quarantined: true }),
    ],
    failed: [{ server: "web", message: "web cannot be started: it ended with 1." }],
  });
  expect(await ask("tools?server=web")).toMatchObject({ body: { tools: [], failed: [{ server: "web" }] } });
});

it("takes a definition as good only by the hash that was shown", async () => {
  hub.pinned = [{ ...PIN, offered: { hash: HASH, definition: "{}", seen: 0 } }];
  expect(await ask("pins")).toEqual({ status: 200, body: { pins: hub.pinned } });
  const accept = { server: "files", tool: "erase", hash: HASH };
  expect(await ask("pins/accept", accept, "ann")).toMatchObject({ status: 200, body: { server: "files" } });
  expect(hub.told).toEqual(["ann (ann@example.com) accepted files/erase"]);
  expect(await ask("pins/accept", { ...accept, hash: "c".repeat(64) })).toEqual(
    refused(409, "mcp_pin_moved", "Look at the new difference"),
  );
  expect(await ask("pins/accept", { ...accept, tool: "no" })).toEqual(
    refused(404, "mcp_unknown_pin", "No tool no"),
  );
  expect(await ask("pins/accept", { ...accept, hash: "beef" })).toEqual(
    refused(400, "invalid_body", "hash: is 64"),
  );
  expect(await ask("pins/accept", [])).toEqual(refused(400, "invalid_body", "The body: "));
  expect(hub.told).toHaveLength(1);
});

it("decides about waiting calls in the name of the key", async () => {
  hub.waiting = [
    { id: "q1", key: "bob", server: "files", tool: "erase", arguments: { path: "a" }, asked: 0, until: 9 },
  ];
  expect(await ask("approvals")).toEqual({ status: 200, body: { approvals: hub.waiting } });
  expect(await ask("approvals/q1", { approve: true })).toMatchObject({
    status: 200,
    body: { id: "q1", approved: true, message: "erase of files goes on as it was asked." },
  });
  expect(await ask("approvals/q1", { approve: false })).toMatchObject({ body: { approved: false } });
  expect(hub.told).toEqual(["local approved q1", "local denied q1"]);
  expect(await ask("approvals/q2", { approve: true })).toEqual(
    refused(404, "mcp_unknown_approval", "timed out"),
  );
  expect(await ask("approvals/q1", { approve: "yes" })).toEqual(refused(400, "invalid_body", "approve: "));
});

it("reads the audit by key, server and outcome", async () => {
  expect(await ask("audit")).toEqual({ status: 200, body: { audit: [] } });
  await ask("audit?limit=5&before=9&key=bob&server=files&outcome=denied");
  expect(hub.queries).toEqual([
    { limit: 100 },
    { limit: 5, before: 9, key: "bob", server: "files", outcome: "denied" },
  ]);
  expect(await ask("audit?limit=1001")).toEqual(refused(400, "invalid_query", "limit: "));
  expect(await ask("audit?outcome=well")).toEqual(refused(400, "invalid_query", "outcome: "));
});

it("tries a server again, and knows no other order", async () => {
  expect(await ask("servers/web/retry", {})).toMatchObject({ status: 202, body: { server: "web" } });
  expect(hub.told).toEqual(["retry web"]);
  expect(await ask("servers/nobody/retry", {})).toEqual(
    refused(404, "mcp_unknown_server", "no MCP server nobody"),
  );
  expect(await ask("servers/web/stop", {})).toEqual(refused(404, "unknown_action", "/retry"));
  expect(await ask("servers/%FF/retry", {})).toEqual(refused(404, "unknown_action", "/retry"));
});

it("says what is wrong when there is no hub to ask", async () => {
  const broken = await startEndpoints(mcpEndpoints(() => Promise.reject(new Error("the node stops"))));
  try {
    const answer = await fetch(`${broken.url}/api/mcp/servers`);
    expect([answer.status, await answer.text()]).toEqual([500, expect.stringContaining("the node stops")]);
  } finally {
    await broken[Symbol.asyncDispose]();
  }
});
