import { afterEach, describe, expect, test } from "vitest";

import type { Provider } from "../../../src/mcp/provider.ts";
import { eventually, isAlive } from "../../fakes/alive.ts";
import { contextOf, stdioUpstream, textOf } from "./under-test.ts";

const open: Provider[] = [];
const never = new AbortController().signal;

function stdio(...words: Parameters<typeof stdioUpstream>) {
  const made = stdioUpstream(...words);
  open.push(made.provider);
  return made;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((provider) => provider.close()));
});

describe.each(["legacy", "modern"] as const)("a server of the %s era over stdio", (era) => {
  test("tells what it has, answers, and its process starts with the first need only", async () => {
    const { provider } = stdio({ era });
    expect(provider.view()).toMatchObject({ state: "idle", transport: "stdio", connections: 0 });
    expect(await provider.offers(never)).toEqual({
      tools: true,
      resources: true,
      prompts: true,
      completions: true,
      subscriptions: true,
      instructions: "Be kind.",
    });
    const tools = await provider.tools(never);
    expect(tools.map(({ name }) => name)).toContain("echo");
    expect(textOf(await provider.callTool("echo", { text: "hi" }, contextOf()))).toContain('"text":"hi"');
    expect(await provider.readResource("test://one", contextOf())).toMatchObject({
      contents: [{ text: "content" }],
    });
    expect(await provider.getPrompt("greet", { who: "you" }, contextOf())).toMatchObject({
      messages: [{ role: "user" }],
    });
    const completed = await provider.complete(
      { ref: { type: "ref/prompt", name: "greet" }, argument: { name: "who", value: "" } },
      contextOf(),
    );
    expect(completed.completion.values).toEqual(["one", "two"]);
    expect(await provider.resources(never)).toMatchObject([{ uri: "test://one" }]);
    expect(await provider.templates(never)).toMatchObject([{ uriTemplate: "test://{id}" }]);
    expect(await provider.prompts(never)).toMatchObject([{ name: "greet" }]);
    expect(provider.view()).toMatchObject({ state: "ready", serverName: "fake", connections: 1 });
  });
});

test("a server that exits on the first request of the modern era is started again as one of the legacy era, and later at once so", async () => {
  const { provider } = stdio({ onProbe: "exit" });
  expect(textOf(await provider.callTool("count", {}, contextOf()))).toBe("1");
  expect(provider.view()).toMatchObject({ state: "ready", protocolVersion: "2025-11-25" });
});

test("the child gets PATH, HOME and what the owner gives, and nothing of this process", async () => {
  process.env["OMNI_TEST_SECRET"] = "not for children";
  try {
    const { provider } = stdio({}, { environment: { GIVEN: "1" } });
    const { env } = JSON.parse(textOf(await provider.callTool("echo", {}, contextOf())));
    expect(env).toEqual(["GIVEN", "HOME", "PATH"]);
  } finally {
    delete process.env["OMNI_TEST_SECRET"];
  }
});

test("a server killed in the middle of a call: that call fails and says what is not known, the next one works", async () => {
  const { provider, events } = stdio();
  await provider.tools(never);
  const failed = provider.callTool("die", {}, contextOf());
  await expect(failed).rejects.toMatchObject({ code: "mcp.unreachable" });
  await expect(failed).rejects.toThrow(/ended by SIGKILL.*not known whether the request was carried out/);
  expect(provider.view()).toMatchObject({ state: "idle", connections: 0 });
  expect(textOf(await provider.callTool("echo", {}, contextOf()))).toContain("pid");
  expect(provider.view()).toMatchObject({ state: "ready", restarts: 1 });
  expect(events.kinds()).toEqual(["mcp.server-ready", "mcp.server-lost", "mcp.server-ready"]);
});

test("a call that changes nothing is sent again, once", async () => {
  const { provider } = stdio();
  await provider.tools(never);
  await expect(provider.callTool("die-readonly", {}, contextOf())).rejects.toMatchObject({
    code: "mcp.unreachable",
  });
  expect(provider.view().restarts).toBe(1);
});

test("a server that cannot start is not hammered: requests fail at once with the reason and when it is tried again", async () => {
  const { provider, events } = stdio(
    {
      exit: 3,
      complaint: "cannot read postgres://me:pass-word@host/db\ntoken=abcdef123 is wrong: value-of-secret\n",
    },
    { environment: { API: "value-of-secret" } },
  );
  const first = provider.callTool("echo", {}, contextOf());
  await expect(first).rejects.toThrow(
    /ended with exit code 3; its last words: .*is wrong.* It is tried again with the first request after 1\.0 s\./,
  );
  await expect(first).rejects.not.toThrow(/pass-word|abcdef123|value-of-secret/);
  const started = events.events.length;
  const before = performance.now();
  for (let index = 0; index < 100; index += 1) {
    await expect(provider.callTool("echo", {}, contextOf())).rejects.toMatchObject({
      code: "mcp.unreachable",
    });
  }
  expect(performance.now() - before).toBeLessThan(500);
  expect(events.events).toHaveLength(started);
  expect(provider.view()).toMatchObject({ state: "failed", connections: 0 });
  provider.retry();
  await eventually("it is tried again", () => events.events.length > started);
});

test("a program that does not exist is said so", async () => {
  const { provider } = stdio({}, { command: ["/nowhere/at-all"] });
  await expect(provider.tools(never)).rejects.toThrow(/\/nowhere\/at-all cannot be started: .*ENOENT/);
});

test("a server that never finishes its start is ended in time", async () => {
  const { provider } = stdio({ slow: 60_000 }, { initTimeout: 600 });
  await expect(provider.tools(never)).rejects.toMatchObject({ code: "mcp.timeout" });
  expect(provider.view()).toMatchObject({ state: "failed" });
});

test("lines that are no messages are passed over, a flood of them ends the server", async () => {
  const { provider } = stdio({ greeting: "Welcome!\n{}\n[1,2]\nnull\n" });
  expect((await provider.tools(never)).length).toBeGreaterThan(5);
  const flood = stdio({ flood: 3_000_000 });
  await expect(flood.provider.tools(never)).rejects.toThrow(/standard output that is no MCP/);
});

test("a message over the bound ends the connection with a clear error, and the next call works", async () => {
  const { provider } = stdio({}, { maxMessage: 100_000 });
  await expect(provider.callTool("big", { bytes: 200_000 }, contextOf())).rejects.toThrow(
    /a message of more than 97\.66 KiB/,
  );
  expect(textOf(await provider.callTool("big", { bytes: 50_000 }, contextOf()))).toHaveLength(50_000);
});

test.skipIf(process.platform !== "linux")(
  "nothing is left after the end: not what a server started, nor one that ignores signals",
  async () => {
    const { provider } = stdio({ stubborn: true });
    const grandchild = Number(textOf(await provider.callTool("leak", {}, contextOf())));
    const [child = 0] = provider.view().pids ?? [];
    expect(isAlive(grandchild) && isAlive(child)).toBe(true);
    await provider.close();
    expect(isAlive(grandchild) || isAlive(child)).toBe(false);
    expect(provider.view()).toMatchObject({ state: "closed", connections: 0 });
    await expect(provider.tools(never)).rejects.toMatchObject({ code: "mcp.closed" });
    await expect(provider.callTool("echo", {}, contextOf())).rejects.toMatchObject({ code: "mcp.closed" });
  },
);

test.skipIf(process.platform !== "linux")("what a killed server has started ends with it", async () => {
  const { provider } = stdio();
  const grandchild = Number(textOf(await provider.callTool("leak", {}, contextOf())));
  await expect(provider.callTool("die", {}, contextOf())).rejects.toThrow("SIGKILL");
  await eventually("its child is gone", () => !isAlive(grandchild));
});

test("a timeout and a cancellation are told to the server", async () => {
  const { provider } = stdio({}, { timeout: 300 });
  await expect(provider.callTool("sleep", { ms: 5000 }, contextOf())).rejects.toMatchObject({
    code: "mcp.timeout",
  });
  const controller = new AbortController();
  const cancelled = provider.callTool("sleep", { ms: 5000 }, contextOf({ signal: controller.signal }));
  setTimeout(() => controller.abort(new Error("the client left")), 50);
  await expect(cancelled).rejects.toThrow("the client left");
  expect(textOf(await provider.callTool("echo", {}, contextOf()))).toContain("pid");
});

test("progress keeps a call alive beyond its timeout and reaches the client", async () => {
  const { provider } = stdio({}, { timeout: 400 });
  const steps: number[] = [];
  const onProgress = ({ progress }: { progress: number }): void => void steps.push(progress);
  expect(
    textOf(await provider.callTool("progress", { steps: 6, wait: 150 }, contextOf({ onProgress }))),
  ).toBe("done");
  expect(steps).toEqual([1, 2, 3, 4, 5, 6]);
});
