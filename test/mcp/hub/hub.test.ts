import { afterEach, describe, expect, test } from "vitest";
import type { ChangingHub } from "../../../src/mcp/hub/create-hub.ts";
import type { HubChange } from "../../../src/mcp/hub.ts";
import { OmniError } from "../../../src/core/index.ts";
import { asked, asker, context, hubOf, member, namesOf, result, textOf } from "../../fakes/hub-under-test.ts";
import { ScriptedProvider, tool } from "../../fakes/mcp-provider.ts";

const signal = new AbortController().signal;
const hubs: ChangingHub[] = [];

function open(...given: Parameters<typeof hubOf>): ReturnType<typeof hubOf> {
  const opened = hubOf(...given);
  hubs.push(opened.hub);
  return opened;
}

afterEach(async () => {
  await Promise.all(hubs.splice(0).map((hub) => hub.close()));
});

describe("tools", () => {
  test("of all servers are listed in one order and called by their own names", async () => {
    const files = new ScriptedProvider({ tools: [tool("write"), tool("read")] });
    const data = new ScriptedProvider({ tools: [tool("query")] });
    const { hub } = open([member("files", files), member("data", data)]);
    expect(namesOf(await hub.tools(asker(), signal))).toEqual(["data__query", "files__read", "files__write"]);
    expect(textOf(await hub.callTool("files__read", { path: "a" }, asker(), context()))).toBe(
      'read {"path":"a"}',
    );
    expect([files.calls.length, data.calls.length]).toEqual([1, 0]);
    await hub.close();
    expect([files.closed, data.closed, files.listeners]).toEqual([true, true, 0]);
    await expect(hub.callTool("files__read", {}, asker(), context())).rejects.toThrow(/mcp\.closed/);
  });

  test("are asked of a server once, and again when it says that they changed", async () => {
    const files = new ScriptedProvider({ tools: [tool("read")] });
    const { hub } = open([member("files", files)]);
    await Promise.all([hub.tools(asker(), signal), hub.tools(asker({ key: "bob" }), signal)]);
    expect(await hub.tools(asker(), signal)).toBe(await hub.tools(asker({ key: "bob" }), signal));
    expect(files.lists).toBe(1);
    const changes: HubChange[] = [];
    const end = hub.onChange(asker(), (change) => changes.push(change));
    hub.onChange(asker({ tools: ["other"] }), () => changes.push({ kind: "prompts" }));
    files.script.tools = [tool("read"), tool("write")];
    for (let n = 0; n < 100; n++) files.tell({ kind: "tools" });
    await expect.poll(() => changes).toEqual([{ kind: "tools" }]);
    expect(namesOf(await hub.tools(asker(), signal))).toEqual(["files__read", "files__write"]);
    expect(files.lists).toBe(2);
    end();
  });

  test("can be called by a name from before, while the server has not been listed yet", async () => {
    const files = new ScriptedProvider({ tools: [tool("read")] });
    const other = new ScriptedProvider({ tools: [tool("read")] });
    const { hub } = open([member("files", files), member("other", other)]);
    expect(textOf(await hub.callTool("files__read", {}, asker(), context()))).toBe("read {}");
    expect(other.lists).toBe(0);
  });

  test("of a dead server are missing, of one that died later are not; calls say why", async () => {
    let isDead = true;
    const start = async (): Promise<void> => {
      if (isDead) throw new OmniError("mcp.unreachable", "The server dead ended with code 1.");
    };
    const dead = new ScriptedProvider({ tools: [tool("read")], start });
    const { hub } = open([
      member("dead", dead),
      member("files", new ScriptedProvider({ tools: [tool("read")] })),
    ]);
    expect(namesOf(await hub.tools(asker(), signal))).toEqual(["files__read"]);
    const refused = result(await hub.callTool("dead__read", {}, asker(), context()));
    expect([refused.isError, textOf(refused)]).toEqual([true, expect.stringContaining("ended with code 1")]);
    const changes: HubChange[] = [];
    hub.onChange(asker(), (change) => changes.push(change));
    isDead = false;
    dead.tell({ kind: "state" });
    await expect.poll(() => changes).toContainEqual({ kind: "tools" });
    expect(namesOf(await hub.tools(asker(), signal))).toEqual(["dead__read", "files__read"]);
    isDead = true;
    dead.tell({ kind: "tools" });
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(namesOf(await hub.tools(asker(), signal))).toEqual(["dead__read", "files__read"]);
    hub.retry("dead");
    expect(dead.retries).toBe(1);
    expect(() => hub.retry("none")).toThrow(expect.objectContaining({ code: "mcp.unknown-server" }));
  });

  test("of a server that is slow at first come as a change", async () => {
    const slow = new ScriptedProvider({ tools: [tool("late")] });
    const { promise, resolve } = Promise.withResolvers<void>();
    slow.script.start = () => promise;
    const { hub } = open([member("slow", slow)]);
    const changes: HubChange[] = [];
    hub.onChange(asker(), (change) => changes.push(change));
    expect(await hub.tools(asker(), signal)).toEqual([]);
    resolve();
    await expect.poll(() => changes).toEqual([{ kind: "tools" }]);
    expect(namesOf(await hub.tools(asker(), signal))).toEqual(["slow__late"]);
  });

  test("take at most their time, whatever the server does with its signal", async () => {
    const stuck = new ScriptedProvider({ tools: [tool("wait")], call: () => new Promise(() => undefined) });
    const { hub } = open([member("stuck", stuck, { timeout: 50 })]);
    expect(textOf(await hub.callTool("stuck__wait", {}, asker(), context()))).toContain("(mcp.timeout)");
    expect(stuck.calls[0]?.context.signal.aborted).toBe(true);
    const gone = new AbortController();
    const cancelled = hub.callTool("stuck__wait", {}, asker(), context({ signal: gone.signal }));
    gone.abort();
    await expect(cancelled).rejects.toThrow("The request was cancelled.");
  });

  test("are offered on the transports that their owner chose", async () => {
    const files = member("files", new ScriptedProvider({ tools: [tool("read")] }), { exposure: ["stdio"] });
    const off = member("off", new ScriptedProvider({ tools: [tool("read")] }), { enabled: false });
    const { hub } = open([files, off]);
    expect(namesOf(await hub.tools(asker({}, "stdio"), signal))).toEqual(["files__read"]);
    for (const channel of ["http", "sse", "inside"] as const) {
      expect(await hub.tools(asker({}, channel), signal)).toEqual([]);
      expect(hub.serversOf(asker({}, channel))).toEqual([]);
    }
  });

  test("are found by what they do, and called by their names, where there are many", async () => {
    const files = new ScriptedProvider({
      tools: [
        tool("read_text_file", { description: "Read a file as text." }),
        tool("delete_file", { description: "Remove a file for good." }),
        tool("sendMail", { description: "Send a message to somebody." }),
      ],
    });
    const { hub } = open([member("files", files)], { searchAbove: 2 });
    const [search, call] = await hub.tools(asker(), signal);
    expect([search?.name, call?.name]).toEqual(["search_tools", "call_tool"]);
    const found = result(
      await hub.callTool("search_tools", { query: "reading texts: read text", limit: 1 }, asker(), context()),
    );
    expect(found.structuredContent).toMatchObject({
      of: 3,
      tools: [{ name: "files__read_text_file", server: "files" }],
    });
    const mail = result(await hub.callTool("search_tools", { query: "mail" }, asker(), context()));
    expect(mail.structuredContent).toMatchObject({ tools: [{ name: "files__sendMail" }] });
    const none = result(
      await hub.callTool("search_tools", { query: "zebra", server: "files" }, asker(), context()),
    );
    expect(none.structuredContent).toEqual({ tools: [], of: 3 });
    await expect(hub.callTool("search_tools", { query: 7 }, asker(), context())).rejects.toMatchObject({
      code: -32602,
    });
    const through = { name: "files__sendMail", arguments: { to: "bob" } };
    expect(textOf(await hub.callTool("call_tool", through, asker(), context()))).toBe(
      'sendMail {"to":"bob"}',
    );
    expect(textOf(await hub.callTool("files__sendMail", {}, asker(), context()))).toBe("sendMail {}");
    expect(await hub.instructions(asker())).toContain("There are 3 tools");
  });

  test("of a server without prefix keep the names that search would have", async () => {
    const files = new ScriptedProvider({ tools: [tool("search_tools"), tool("b")] });
    const { hub } = open([member("files", files)], { prefix: false, searchAbove: 1 });
    expect(namesOf(await hub.tools(asker(), signal))).toEqual(["omni_search_tools", "call_tool"]);
    expect(textOf(await hub.callTool("search_tools", {}, asker(), context()))).toBe("search_tools {}");
    const found = result(await hub.callTool("omni_search_tools", { query: "b" }, asker(), context()));
    expect(found.structuredContent).toMatchObject({ tools: [{ name: "b" }] });
  });
});

describe("addresses", () => {
  const provider = (): ScriptedProvider =>
    new ScriptedProvider({
      tools: [tool("link")],
      resources: [{ uri: "file:///a", name: "a" }],
      templates: [{ uriTemplate: "file:///{path}", name: "any" }],
      prompts: [{ name: "review code" }],
    });

  test("carry their server's name in lists, contents, links and prompts, and lose it on the way in", async () => {
    const files = provider();
    files.script.call = () => ({
      content: [
        { type: "resource_link", uri: "file:///a", name: "a" },
        { type: "resource", resource: { uri: "file:///b", text: "b" } },
      ],
    });
    files.script.prompt = () => ({
      messages: [{ role: "user", content: { type: "resource", resource: { uri: "file:///c", text: "c" } } }],
    });
    const { hub } = open([member("files", files), member("9lives", provider())]);
    const uris = (await hub.resources(asker(), signal)).map(({ uri }) => uri);
    expect(uris).toEqual(["mcp.9lives+file:///a", "files+file:///a"]);
    for (const uri of uris) expect(new URL(uri).protocol.length).toBeGreaterThan(5);
    const templates = await hub.templates(asker({ tools: ["files"] }), signal);
    expect(templates.map(({ uriTemplate }) => uriTemplate)).toEqual(["files+file:///{path}"]);
    expect(await hub.readResource("files+file:///a", asker(), context())).toEqual({
      contents: [{ uri: "files+file:///a", text: "contents of file:///a" }],
    });
    expect(await hub.readResource("mcp.9lives+file:///a", asker(), context())).toMatchObject({
      contents: [{ uri: "mcp.9lives+file:///a" }],
    });
    const linked = result(await hub.callTool("files__link", {}, asker(), context()));
    expect(linked.content).toEqual([
      { type: "resource_link", uri: "files+file:///a", name: "a" },
      { type: "resource", resource: { uri: "files+file:///b", text: "b" } },
    ]);
    const [, prompt] = await hub.prompts(asker(), signal);
    expect(prompt?.name).toMatch(/^files__review_code_[0-9a-f]{8}$/);
    const got = await hub.getPrompt(prompt?.name ?? "", {}, asker(), context());
    expect(JSON.stringify(got)).toContain("files+file:///c");
    const argument = { name: "path", value: "" };
    await hub.complete(
      { ref: { type: "ref/prompt", name: prompt?.name ?? "" }, argument },
      asker(),
      context(),
    );
    await hub.complete(
      { ref: { type: "ref/resource", uri: "files+file:///{path}" }, argument },
      asker(),
      context(),
    );
    expect(files.completed.map(({ ref }) => ref)).toEqual([
      { type: "ref/prompt", name: "review code" },
      { type: "ref/resource", uri: "file:///{path}" },
    ]);
  });

  test("of a tool's page are its own server's, whatever it says", async () => {
    const app = new ScriptedProvider({
      tools: [tool("show", { _meta: { ui: { resourceUri: "ui://page", prefersBorder: true } } })],
    });
    const { hub } = open([member("app", app)]);
    const [shown] = await hub.tools(asker(), signal);
    expect(shown?._meta).toEqual({ ui: { resourceUri: "app+ui://page", prefersBorder: true } });
  });

  test("are watched once for all, and told to those who watch", async () => {
    const files = provider();
    const { hub } = open([member("files", files)]);
    const told: string[] = [];
    const one = asker();
    const two = asker();
    const other = asker({ key: "bob" });
    for (const [name, who] of Object.entries({ one, two, other }))
      hub.onChange(who, (change) =>
        told.push(`${name} ${change.kind === "updated" ? change.uri : change.kind}`),
      );
    const ends = [await hub.watch("files+file:///a", one), await hub.watch("files+file:///a", other)];
    expect(files.watched).toEqual(["file:///a"]);
    files.tell({ kind: "updated", uri: "file:///a" });
    files.tell({ kind: "updated", uri: "file:///b" });
    expect(told).toEqual(["one files+file:///a", "other files+file:///a"]);
    for (const end of ends) {
      end();
      end();
    }
    await expect.poll(() => files.watched).toEqual([]);
    const again = await hub.watch("files+file:///a", one);
    expect(files.watched).toEqual(["file:///a"]);
    again();
    const third = await hub.watch("files+file:///a", one);
    await expect.poll(() => files.watched).toEqual(["file:///a"]);
    third();
    await expect.poll(() => files.watched).toEqual([]);
  });
});

test("a server without state of its own is asked back without one", async () => {
  const shy = new ScriptedProvider({ tools: [tool("t")] });
  shy.script.call = (_name, _args, { inputResponses }) =>
    inputResponses === undefined
      ? {
          resultType: "input_required",
          inputRequests: {
            name: {
              method: "elicitation/create",
              params: { mode: "form", message: "Name?", requestedSchema: { type: "object", properties: {} } },
            },
          },
        }
      : { content: [{ type: "text", text: JSON.stringify(inputResponses) }] };
  const { hub } = open([member("shy", shy)]);
  const first = asked(
    await hub.callTool("shy__t", {}, asker(), context({ capabilities: { elicitation: {} } })),
  );
  expect(first).not.toHaveProperty("requestState");
  const inputResponses = { name: { action: "accept", content: {} } };
  expect(textOf(await hub.callTool("shy__t", {}, asker(), context({ inputResponses })))).toBe(
    JSON.stringify(inputResponses),
  );
});

test("other settings keep the servers that stay and close those that go", async () => {
  const files = new ScriptedProvider({ tools: [tool("read"), tool("write")] });
  const data = new ScriptedProvider({ tools: [tool("query")] });
  const { hub } = open([member("files", files), member("data", data)]);
  await hub.tools(asker(), signal);
  const changes: HubChange[] = [];
  hub.onChange(asker(), (change) => changes.push(change));
  const settings = { prefix: false, searchAbove: 60, approvalTimeout: 1000, auditArguments: false };
  await hub.update({ ...settings, servers: [member("files", files, { deny: ["write"] })] });
  expect([files.closed, data.closed, data.listeners, files.lists]).toEqual([false, true, 0, 1]);
  expect(changes).toContainEqual({ kind: "tools" });
  expect(namesOf(await hub.tools(asker(), signal))).toEqual(["read"]);
  expect(hub.servers().map(({ name, tools }) => [name, tools])).toEqual([["files", 2]]);
});

test("instructions name servers and hold only so much of their words", async () => {
  const files = new ScriptedProvider({ instructions: "Use relative paths." });
  const loud = new ScriptedProvider({ instructions: "x".repeat(50_000) });
  const { hub } = open([member("files", files), member("loud", loud)]);
  const text = await hub.instructions(asker());
  expect(text).toContain("Tool servers of this node: files, loud.");
  expect(text).toContain("The server files says of itself:\nUse relative paths.");
  expect(text.length).toBeLessThan(3000);
  expect(await hub.instructions(asker({ tools: ["none"] }))).toBe(
    "No tool server of this node is open to you.",
  );
});
