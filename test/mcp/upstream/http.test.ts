import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";

import { eventually } from "../../fakes/alive.ts";
import { FakeMcpHttp } from "../../fakes/mcp-http-server.ts";
import type { FakeHttpSettings } from "../../fakes/mcp-http-server.ts";
import type { Provider, ProviderChange } from "../../../src/mcp/provider.ts";
import { ASKABLE, contextOf, httpUpstream, stateOf, textOf } from "./under-test.ts";

const ends: (() => Promise<void>)[] = [];
const never = new AbortController().signal;

async function http(settings: FakeHttpSettings = {}, more: Parameters<typeof httpUpstream>[1] = {}) {
  const server = await FakeMcpHttp.start(settings);
  const made = httpUpstream(server.url, more);
  ends.push(
    () => made.provider.close(),
    () => server.stop(),
  );
  return { server, ...made };
}

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const changesOf = (provider: Provider): ProviderChange[] => {
  const changes: ProviderChange[] = [];
  provider.onChange((change) => changes.push(change));
  return changes;
};

describe.each([
  { era: "legacy" as const },
  { era: "legacy" as const, json: true },
  { era: "legacy" as const, sse: true },
  { era: "modern" as const },
  { era: "modern" as const, json: true },
])("a server over HTTP: $era, json $json, sse $sse", (settings) => {
  const more = settings.sse === true ? { transport: "sse" as const } : {};

  test("tells what it has and answers, with the owner's headers", async () => {
    const { provider, server } = await http(settings, {
      ...more,
      headers: { authorization: "Bearer secret-of-owner" },
    });
    expect(await provider.offers(never)).toMatchObject({
      tools: true,
      completions: true,
      instructions: "Be kind.",
    });
    expect((await provider.tools(never)).map(({ name }) => name)).toContain("echo");
    expect(textOf(await provider.callTool("echo", { text: "hi" }, contextOf()))).toContain('"text":"hi"');
    expect(await provider.readResource("test://one", contextOf())).toMatchObject({
      contents: [{ text: "content" }],
    });
    expect(server.headers.every(({ authorization }) => authorization === "Bearer secret-of-owner")).toBe(
      true,
    );
    expect(provider.view()).toMatchObject({ state: "ready", connections: 1, serverName: "fake" });
  });

  test("16 calls at a time share one connection and keep their own answers", async () => {
    const { provider } = await http(settings, more);
    const answers = await Promise.all(
      Array.from({ length: 64 }, (_, index) => provider.callTool("echo", { index }, contextOf())),
    );
    for (const [index, answer] of answers.entries()) expect(textOf(answer)).toContain(`"index":${index}`);
    expect(provider.view().connections).toBe(1);
  });
});

test("a change of the tools is told once, and they are listed anew", async () => {
  for (const era of ["legacy", "modern"] as const) {
    const { provider, server } = await http({ era });
    const changes = changesOf(provider);
    await provider.tools(never);
    await provider.tools(never);
    expect(server.mcp.seen.filter((method) => method === "tools/list")).toHaveLength(1);
    await eventually("it listens", () => server.requests.some((method) => /GET|listen/.test(method)));
    await provider.callTool("change", { times: 50 }, contextOf());
    await eventually("the change is told", () => changes.some(({ kind }) => kind === "tools"));
    await sleep(50);
    expect(
      changes.filter(({ kind }) => kind === "tools"),
      era,
    ).toHaveLength(1);
    await provider.tools(never);
    expect(server.mcp.seen.filter((method) => method === "tools/list")).toHaveLength(2);
  }
});

test("an expired session begins anew, and what it refused is sent again: nothing was carried out twice", async () => {
  const { provider, server, events } = await http({ era: "legacy" });
  await provider.callTool("count", {}, contextOf());
  server.expireSessions();
  expect(textOf(await provider.callTool("sleep", { ms: 1 }, contextOf()))).toBe("slept");
  expect(server.sessions).toBe(2);
  expect(server.mcp.calls).toBe(2);
  expect(provider.view()).toMatchObject({ state: "ready", restarts: 1 });
  expect(events.kinds()).toContain("mcp.server-expired");
});

test("a call whose answer breaks off fails with what is not known; one that changes nothing is sent again", async () => {
  for (const era of ["legacy", "modern"] as const) {
    const { provider, server } = await http({ era });
    await provider.tools(never);
    const failed = provider.callTool("die", {}, contextOf());
    await expect(failed).rejects.toThrow(/It is not known whether the request was carried out/);
    await expect(failed).rejects.toMatchObject({ code: "mcp.unreachable" });
    expect(server.mcp.calls).toBe(1);
    expect(textOf(await provider.callTool("count", {}, contextOf()))).toBe("2");
    await expect(provider.callTool("die-readonly", {}, contextOf())).rejects.toMatchObject({
      code: "mcp.unreachable",
    });
    expect(server.mcp.calls).toBe(4);
  }
});

test("a legacy server's question goes to the client of its call, and the answer back, over two rounds", async () => {
  const { provider } = await http({ era: "legacy" });
  const [mine, others] = await Promise.all([
    provider.callTool("ask", { message: "who are you?", wait: 20 }, contextOf({}, ASKABLE, "ann")),
    provider.callTool("ask", { message: "and you?", wait: 10 }, contextOf({}, ASKABLE, "bob")),
  ]);
  const state = stateOf(mine);
  expect(mine).toMatchObject({
    resultType: "input_required",
    inputRequests: { "ask-1": { method: "elicitation/create", params: { message: "who are you?" } } },
  });
  expect(others).toMatchObject({ inputRequests: { "ask-1": { params: { message: "and you?" } } } });
  const inputResponses = { "ask-1": { action: "accept", content: { name: "Ann" } } };
  // Somebody else's ticket is worth nothing.
  await expect(
    provider.callTool("ask", {}, contextOf({ inputResponses, requestState: state }, ASKABLE, "bob")),
  ).rejects.toThrow(/is over/);
  const answer = await provider.callTool(
    "ask",
    {},
    contextOf({ inputResponses, requestState: state }, ASKABLE, "ann"),
  );
  expect(JSON.parse(textOf(answer))).toEqual({ action: "accept", content: { name: "Ann" } });
  await expect(
    provider.callTool("ask", {}, contextOf({ inputResponses, requestState: state }, ASKABLE, "ann")),
  ).rejects.toThrow(/is over/);
});

test("credentials stay with their server: a redirect elsewhere is not followed, and its place is named without secrets", async () => {
  for (const era of ["legacy", "modern"] as const) {
    const other = await FakeMcpHttp.start({ era });
    ends.push(() => other.stop());
    const { provider } = await http(
      { redirect: `${other.url}?token=abcdefgh` },
      { headers: { authorization: "Bearer secret-of-owner" } },
    );
    await expect(provider.tools(never)).rejects.toThrow(/cannot be reached/);
    await expect(provider.tools(never)).rejects.not.toThrow(/secret-of-owner|abcdefgh/);
    expect(other.headers).toEqual([]);
  }
});

test("a refusal says what it is, and shows neither headers nor the address's query", async () => {
  const refuse = { status: 401, text: "Bearer secret-of-owner is not valid" };
  const server = await FakeMcpHttp.start({ refuse });
  const { provider } = httpUpstream(`${server.url}?key=secret-query`, {
    headers: { authorization: "Bearer secret-of-owner" },
  });
  ends.push(
    () => provider.close(),
    () => server.stop(),
  );
  await expect(provider.tools(never)).rejects.toThrow(/refuses access \(HTTP 401\)/);
  const failed = await FakeMcpHttp.start({ refuse: { status: 503, text: "secret-of-owner, secret-query" } });
  ends.push(() => failed.stop());
  const broken = httpUpstream(`${failed.url}?key=secret-query`, {
    headers: { authorization: "Bearer secret-of-owner" },
  });
  ends.push(() => broken.provider.close());
  const listed = broken.provider.tools(never);
  await expect(listed).rejects.toThrow(/HTTP 503 \*\*\*, \*\*\*/);
  expect(JSON.stringify([broken.provider.view(), broken.events.events])).not.toMatch(
    /secret-of-owner|secret-query/,
  );
});

test("a server that is down is said to be, without delay, and found again", async () => {
  const { provider, server, events } = await http({ era: "modern" });
  await provider.callTool("count", {}, contextOf());
  const port = Number(new URL(server.url).port);
  await server.stop();
  await expect(provider.callTool("count", {}, contextOf())).rejects.toMatchObject({
    code: "mcp.unreachable",
  });
  await expect(provider.callTool("count", {}, contextOf())).rejects.toThrow(/ECONNREFUSED|It is tried again/);
  const again = await FakeMcpHttp.start({ era: "modern", port });
  ends.push(() => again.stop());
  provider.retry();
  expect(textOf(await provider.callTool("count", {}, contextOf()))).toBe("1");
  expect(events.kinds()).toContain("mcp.server-lost");
  expect(provider.view()).toMatchObject({ state: "ready", restarts: 1 });
});

test("a message over the bound fails its call alone and says so, as one document and as an event", async () => {
  for (const json of [true, false]) {
    const { provider } = await http({ era: "modern", json }, { maxMessage: 100_000 });
    const waiting = provider.callTool("sleep", { ms: 300 }, contextOf());
    await expect(provider.callTool("big", { bytes: 200_000 }, contextOf())).rejects.toThrow(
      /a message of more than 97\.66 KiB/,
    );
    expect(textOf(await waiting)).toBe("slept");
    expect(textOf(await provider.callTool("big", { bytes: 50_000 }, contextOf()))).toHaveLength(50_000);
  }
});

test("a cancelled call lets go of its connection and the server knows", async () => {
  for (const era of ["legacy", "modern"] as const) {
    const { provider, server } = await http({ era });
    await provider.tools(never);
    const controller = new AbortController();
    const call = provider.callTool("sleep", { ms: 60_000 }, contextOf({ signal: controller.signal }));
    await eventually("it runs", () => server.mcp.calls === 1);
    controller.abort(new Error("the client left"));
    await expect(call).rejects.toThrow("the client left");
    if (era === "legacy") await eventually("it is told", () => server.mcp.cancelled.length === 1);
    await eventually("only the stream of changes is open", () => server.running === 1);
    expect(textOf(await provider.callTool("count", {}, contextOf()))).toBe("2");
  }
});

test("progress of a call over HTTP reaches its client to the last step", async () => {
  for (const era of ["legacy", "modern"] as const) {
    const { provider } = await http({ era });
    const heard = await Promise.all(
      [3, 5].map(async (steps) => {
        const seen: number[] = [];
        const onProgress = ({ progress }: { progress: number }): void => void seen.push(progress);
        await provider.callTool("progress", { steps }, contextOf({ onProgress }));
        return seen;
      }),
    );
    expect(heard).toEqual([
      [1, 2, 3],
      [1, 2, 3, 4, 5],
    ]);
  }
});

test("long lists come in pages, and one without end is refused", async () => {
  const { provider } = await http({ era: "modern", manyTools: 950, pageSize: 100, json: true });
  expect(await provider.tools(never)).toHaveLength(968);
  const endless = await http({ era: "modern", manyTools: 10_500, pageSize: 2000, json: true });
  await expect(endless.provider.tools(never)).rejects.toThrow(/more than 10000 entries/);
});

test("a stream of the SSE transport that breaks off fails its calls, and a new one serves the next", async () => {
  const { provider, server } = await http({ sse: true }, { transport: "sse" });
  await expect(provider.callTool("die", {}, contextOf())).rejects.toThrow(
    /not known whether the request was carried out/,
  );
  expect(textOf(await provider.callTool("count", {}, contextOf()))).toBe("2");
  expect(server.mcp.seen.filter((method) => method === "initialize")).toHaveLength(2);
});
