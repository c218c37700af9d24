import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";

import type { Provider } from "../../../src/mcp/provider.ts";
import { eventually } from "../../fakes/alive.ts";
import { FakeMcpHttp } from "../../fakes/mcp-http-server.ts";
import { ASKABLE, contextOf, httpUpstream, stateOf, stdioUpstream, textOf } from "./under-test.ts";

const ends: (() => Promise<void>)[] = [];
const never = new AbortController().signal;

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

function stdio(...words: Parameters<typeof stdioUpstream>): Provider {
  const { provider } = stdioUpstream(...words);
  ends.push(() => provider.close());
  return provider;
}

async function http(era: "legacy" | "modern", more: Parameters<typeof httpUpstream>[1] = {}) {
  const server = await FakeMcpHttp.start({ era });
  const { provider } = httpUpstream(server.url, more);
  ends.push(
    () => provider.close(),
    () => server.stop(),
  );
  return { server, provider };
}

const accept = (name: string) => ({ "ask-1": { action: "accept", content: { name } } });

describe("a legacy server over stdio that asks", () => {
  test("the question and its answer, and meanwhile another instance serves others", async () => {
    const provider = stdio({}, { instances: 2 });
    const asked = await provider.callTool("ask", { message: "who?" }, contextOf({}, ASKABLE, "ann"));
    expect(asked).toMatchObject({
      resultType: "input_required",
      inputRequests: { "ask-1": { method: "elicitation/create", params: { message: "who?" } } },
    });
    expect(textOf(await provider.callTool("echo", { n: 1 }, contextOf({}, ASKABLE, "bob")))).toContain(
      '"n":1',
    );
    const context = contextOf(
      { requestState: stateOf(asked), inputResponses: accept("Ann") },
      ASKABLE,
      "ann",
    );
    expect(textOf(await provider.callTool("ask", {}, context))).toContain("Ann");
    expect(provider.view().connections).toBe(2);
  });

  test("questions of calls at the same time never go to the wrong one", async () => {
    const provider = stdio({}, { instances: 4 });
    // The first question tells that this server asks; who can be asked is alone from then on.
    const first = await provider.callTool("ask", { message: "first" }, contextOf({}, ASKABLE));
    await provider.callTool(
      "ask",
      {},
      contextOf({ requestState: stateOf(first), inputResponses: accept("x") }, ASKABLE),
    );
    const answers = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        const key = `caller-${index}`;
        const asked = await provider.callTool("ask", { message: key, wait: 10 }, contextOf({}, ASKABLE, key));
        expect(asked).toMatchObject({ inputRequests: { "ask-1": { params: { message: key } } } });
        const context = contextOf(
          { requestState: stateOf(asked), inputResponses: accept(key) },
          ASKABLE,
          key,
        );
        return textOf(await provider.callTool("ask", {}, context));
      }),
    );
    for (const [index, answer] of answers.entries()) expect(answer).toContain(`caller-${index}`);
    expect(provider.view().connections).toBeLessThanOrEqual(4);
  });

  test("a question among several calls waits until it is certain whose it is; two at a time are nobody's", async () => {
    const provider = stdio();
    const sleeping = provider.callTool("sleep", { ms: 300 }, contextOf({}, ASKABLE, "bob"));
    const asked = await provider.callTool(
      "ask",
      { message: "who?", wait: 30 },
      contextOf({}, ASKABLE, "ann"),
    );
    expect(asked).toMatchObject({ inputRequests: { "ask-1": { params: { message: "who?" } } } });
    expect(textOf(await sleeping)).toBe("slept");
    const context = contextOf(
      { requestState: stateOf(asked), inputResponses: accept("Ann") },
      ASKABLE,
      "ann",
    );
    expect(textOf(await provider.callTool("ask", {}, context))).toContain("Ann");

    const fresh = stdio();
    const both = await Promise.all(
      ["ann", "bob"].map((key) =>
        fresh.callTool("ask", { message: key, wait: 50 }, contextOf({}, ASKABLE, key)),
      ),
    );
    for (const answer of both) expect(textOf(answer)).toContain("not certain which call this belongs to");
  });

  test("a client that cannot be asked is not, and roots are never told", async () => {
    const provider = stdio({}, { instances: 2 });
    expect(textOf(await provider.callTool("ask", { message: "?" }, contextOf()))).toMatch(/code/);
    expect(JSON.parse(textOf(await provider.callTool("meta", {}, contextOf()))).capabilities).toEqual({});
    const { capabilities } = JSON.parse(textOf(await provider.callTool("meta", {}, contextOf({}, ASKABLE))));
    expect(Object.keys(capabilities).toSorted()).toEqual(["elicitation", "sampling"]);
    const form = { elicitation: { form: {} } };
    expect(textOf(await provider.callTool("sample", {}, contextOf({}, form)))).toContain(
      "cannot be asked for a model",
    );
    expect(textOf(await provider.callTool("roots", {}, contextOf({}, ASKABLE)))).toContain("-32601");
  });

  test("roots go the same way where the server may ask for them", async () => {
    const provider = stdio({}, { instances: 2, roots: true });
    const context = contextOf({}, { roots: {} });
    const asked = await provider.callTool("roots", {}, context);
    expect(asked).toMatchObject({ inputRequests: { "ask-1": { method: "roots/list" } } });
    const roots = [{ uri: "file:///srv/docs", name: "docs" }];
    const answer = await provider.callTool(
      "roots",
      {},
      { ...context, requestState: stateOf(asked), inputResponses: { "ask-1": { roots } } },
    );
    expect(textOf(answer)).toContain("file:///srv/docs");
    expect(textOf(await provider.callTool("roots", {}, contextOf({}, ASKABLE)))).toContain(
      "cannot be asked for its roots",
    );
  });

  test("sampling goes the same way", async () => {
    const provider = stdio();
    const asked = await provider.callTool("sample", {}, contextOf({}, ASKABLE));
    const said = { role: "assistant", model: "m", content: { type: "text", text: "word" } };
    const context = contextOf({ requestState: stateOf(asked), inputResponses: { "ask-1": said } }, ASKABLE);
    expect(textOf(await provider.callTool("sample", {}, context))).toContain('"text":"word"');
  });

  test("nobody answers: the server's call is cancelled, its ticket is worth nothing, and others go on", async () => {
    const provider = stdio({}, { parkTime: 200 });
    const asked = await provider.callTool("ask", { message: "who?" }, contextOf({}, ASKABLE));
    expect(textOf(await provider.callTool("echo", {}, contextOf({}, ASKABLE)))).toContain("pid");
    const late = contextOf({ requestState: stateOf(asked), inputResponses: accept("late") }, ASKABLE);
    await expect(provider.callTool("ask", {}, late)).rejects.toThrow(/waited too long/);
    expect(provider.view().restarts).toBe(0);
  });

  test("a server that dies while its question waits: the answer finds that out", async () => {
    const provider = stdio({}, { instances: 2 });
    const asked = await provider.callTool("ask", { message: "who?" }, contextOf({}, ASKABLE));
    for (const pid of provider.view().pids ?? []) process.kill(pid, "SIGKILL");
    await eventually("it is gone", () => provider.view().connections === 0);
    const context = contextOf({ requestState: stateOf(asked), inputResponses: accept("x") }, ASKABLE);
    await expect(provider.callTool("ask", {}, context)).rejects.toThrow(
      /ended by SIGKILL.*not known whether/,
    );
  });
});

describe("log messages", () => {
  test("two callers at a time over HTTP get their own, from the level that each wants", async () => {
    for (const era of ["legacy", "modern"] as const) {
      const { provider } = await http(era);
      const heard: string[][] = await Promise.all(
        (["info", "debug"] as const).map(async (logLevel) => {
          const messages: string[] = [];
          const onLog = ({ data }: { data: unknown }): void => void messages.push(String(data));
          await provider.callTool(
            "log",
            { text: `for ${logLevel}`, wait: 50 },
            contextOf({ logLevel, onLog }),
          );
          return messages;
        }),
      );
      expect(heard).toEqual([["for info"], ["for debug", "detail"]]);
    }
  });

  test("over stdio too, one after the other", async () => {
    for (const era of ["legacy", "modern"] as const) {
      const provider = stdio({ era });
      const heard = await Promise.all(
        ["ann", "bob"].map(async (key) => {
          const messages: string[] = [];
          const onLog = ({ data }: { data: unknown }): void => void messages.push(String(data));
          const context = contextOf({ logLevel: "info", onLog }, {}, key);
          await provider.callTool("log", { text: key, wait: 50 }, context);
          return messages;
        }),
      );
      expect(heard).toEqual([["ann"], ["bob"]]);
    }
  });
});

describe("a legacy server over Streamable HTTP that asks on the session's own stream", () => {
  test("speaks of the only call there is, and of nobody's while there are two that ask", async () => {
    const { provider } = await http("legacy");
    const context = contextOf({}, ASKABLE);
    await provider.callTool("echo", {}, context);
    const asked = await provider.callTool("ask", { message: "Who?", outside: true }, context);
    expect(asked).toMatchObject({ inputRequests: { "ask-1": { params: { message: "Who?" } } } });
    const more = { ...context, requestState: stateOf(asked), inputResponses: accept("Ann") };
    expect(textOf(await provider.callTool("ask", {}, more))).toContain("Ann");

    const both = await Promise.all(
      ["ann", "bob"].map((key) =>
        provider.callTool("ask", { message: key, wait: 50, outside: true }, contextOf({}, ASKABLE, key)),
      ),
    );
    for (const answer of both) expect(textOf(answer)).toContain("not certain which call this belongs to");
  });
});

describe("a modern server", () => {
  test("gets the capabilities and the meta of the very request, and its own questions pass", async () => {
    const { provider } = await http("modern");
    const meta = {
      traceparent: "00-1-2-01",
      "io.modelcontextprotocol/clientInfo": { name: "liar" },
      progressToken: 7,
    };
    const context = contextOf({ meta, logLevel: "warning" }, { elicitation: { form: {} } });
    const seen = JSON.parse(textOf(await provider.callTool("meta", {}, context))).meta;
    expect(seen).toMatchObject({
      traceparent: "00-1-2-01",
      "io.modelcontextprotocol/clientCapabilities": { elicitation: { form: {} } },
      "io.modelcontextprotocol/clientInfo": { name: "omni" },
      "io.modelcontextprotocol/logLevel": "warning",
    });
    expect(seen).not.toHaveProperty("progressToken");
    const asked = await provider.callTool("confirm", {}, context);
    expect(asked).toMatchObject({
      resultType: "input_required",
      requestState: "state-1",
      inputRequests: { sure: {} },
    });
    const inputResponses = { sure: { action: "accept", content: {} } };
    const answer = await provider.callTool(
      "confirm",
      {},
      { ...context, requestState: "state-1", inputResponses },
    );
    expect(JSON.parse(textOf(answer))).toEqual({ answers: inputResponses, state: "state-1" });
    // Whether it may ask for roots is the hub's to decide, which has not told it of any.
    expect(await provider.callTool("roots", {}, context)).toMatchObject({ resultType: "input_required" });
  });

  test("arguments travel as headers where the tool's definition wants that; answers against its schema pass", async () => {
    const { provider, server } = await http("modern");
    await provider.tools(never);
    await provider.callTool("headers", { region: "eu" }, contextOf());
    expect(server.headers.at(-1)).toMatchObject({ "mcp-param-region": "eu", "mcp-name": "headers" });
    expect(await provider.callTool("wrong", {}, contextOf())).toMatchObject({
      structuredContent: { n: "no number" },
    });
  });
});

test("watched resources are told, also after the server was restarted, and no more after the end of the watch", async () => {
  for (const era of ["legacy", "modern"] as const) {
    const provider = stdio({ era }, { instances: 1 });
    const updates: string[] = [];
    provider.onChange((change) => change.kind === "updated" && updates.push(change.uri));
    await provider.watch("test://one");
    await provider.callTool("change", {}, contextOf());
    await eventually("it is told", () => updates.length === 1);
    const [pid = 0] = provider.view().pids ?? [];
    process.kill(pid, "SIGKILL");
    // Nobody asks for it: the watch itself brings it back.
    await eventually("it is back", () => provider.view().state === "ready" && provider.view().restarts === 1);
    await sleep(50);
    await provider.callTool("change", {}, contextOf());
    await eventually("it is told again", () => updates.length === 2);
    await provider.unwatch("test://one");
    await provider.callTool("change", {}, contextOf());
    await sleep(30);
    expect(updates).toEqual(["test://one", "test://one"]);
  }
});
