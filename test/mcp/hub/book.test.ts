import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openMcpBook } from "../../../src/mcp/audit/mcp-book.ts";
import type { McpBook } from "../../../src/mcp/audit/mcp-book.ts";
import type { ChangingHub } from "../../../src/mcp/hub/create-hub.ts";
import { openStore } from "../../../src/store/index.ts";
import { asker, context, hubOf, member, namesOf, textOf } from "../../fakes/hub-under-test.ts";
import { ScriptedProvider, tool } from "../../fakes/mcp-provider.ts";

const DAY = 86_400_000;
const signal = new AbortController().signal;
let folder = "";
const open: (() => void | Promise<void>)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-book-"));
});

afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
  rmSync(folder, { recursive: true, force: true });
});

function bookOf(...given: Parameters<typeof openMcpBook> | []): McpBook {
  const book = openMcpBook(given[0] ?? folder, given[1] ?? DAY, given[2] ?? {});
  open.push(() => book.close());
  return book;
}

function hubWith(book: McpBook, provider: ScriptedProvider, more: Parameters<typeof hubOf>[1] = {}) {
  const made = hubOf([member("mail", provider)], { book, ...more });
  open.push(() => made.hub.close());
  return made;
}

async function restart(hub: ChangingHub, book: McpBook): Promise<void> {
  await hub.close();
  book.close();
}

describe("the audit", () => {
  test("keeps who did what, its shape and size, how it ended and how long it took; never a value", async () => {
    const mail = new ScriptedProvider({ tools: [tool("send"), tool("fail")], prompts: [{ name: "hello" }] });
    mail.script.call = (name) => ({ content: [{ type: "text", text: "sent" }], isError: name === "fail" });
    const book = bookOf();
    const { hub } = hubWith(book, mail);
    const secret = { to: "bob@example.com", parts: [1, 2, 3], more: { a: 1 }, urgent: true, none: null };
    await hub.callTool("mail__send", secret, asker(), context({ request: "r-1" }));
    await hub.callTool("mail__fail", {}, asker({ key: "bob" }, "stdio"), context());
    await hub.callTool("mail__nothing", {}, asker(), context()).catch(() => undefined);
    await hub.readResource("mail+file:///a", asker(), context());
    await hub.getPrompt("mail__hello", {}, asker(), context());
    const limited = asker({ mcp: { arguments: { "*": { to: "x" } } } });
    await hub.callTool("mail__send", secret, limited, context());
    const entries = hub.audit({ limit: 100 });
    expect(entries.map(({ method, name, outcome }) => [method, name, outcome])).toEqual([
      ["tools/call", "send", "refused"],
      ["prompts/get", "hello", "ok"],
      ["resources/read", "file:///a", "ok"],
      ["tools/call", "mail__nothing", "refused"],
      ["tools/call", "fail", "error"],
      ["tools/call", "send", "ok"],
    ]);
    const first = entries.at(-1);
    expect(first).toMatchObject({
      request: "r-1",
      key: "ann",
      channel: "http",
      server: "mail",
      shape: "to: text 15, parts: list 3, more: object 1, urgent: boolean, none: null",
      argumentBytes: Buffer.byteLength(JSON.stringify(secret)),
      resultBytes: Buffer.byteLength(
        JSON.stringify({ content: [{ type: "text", text: "sent" }], isError: false }),
      ),
    });
    expect(first?.duration).toBeGreaterThan(0);
    expect(first?.duration).toBeLessThan(60_000);
    expect(entries[0]?.code).toBe("mcp.arguments-refused");
    expect(JSON.stringify(entries)).not.toContain("example.com");
    expect(hub.audit({ limit: 1, key: "bob" }).map(({ name, channel }) => [name, channel])).toEqual([
      ["fail", "stdio"],
    ]);
    expect(hub.audit({ limit: 9, outcome: "refused", server: "mail" })).toHaveLength(1);
    expect(hub.audit({ limit: 2, before: entries[1]?.seq ?? 0 }).map(({ seq }) => seq)).toEqual(
      entries.slice(2, 4).map(({ seq }) => seq),
    );
  });

  test("keeps contents where the owner asked for them, cut", async () => {
    const book = bookOf();
    const { hub } = hubWith(book, new ScriptedProvider({ tools: [tool("send")] }), { auditArguments: true });
    await hub.callTool("mail__send", { to: "bob", text: "x".repeat(100_000) }, asker(), context());
    const [entry] = hub.audit({ limit: 1 });
    expect(entry?.contents?.arguments.startsWith('{"to":"bob"')).toBe(true);
    expect(entry?.contents?.arguments.length).toBeLessThan(66_000);
    expect(entry?.contents?.result).toContain("content");
  });

  test("says who approved", async () => {
    const book = bookOf();
    const provider = new ScriptedProvider({ tools: [tool("send")] });
    const made = hubOf([member("mail", provider, { approval: "always", approver: "operator" })], { book });
    open.push(() => made.hub.close());
    const call = made.hub.callTool("mail__send", {}, asker(), context());
    await expect.poll(() => made.hub.approvals()).toHaveLength(1);
    made.hub.decide(made.hub.approvals()[0]?.id ?? "", true, "root");
    await call;
    expect(made.hub.audit({ limit: 1 })[0]).toMatchObject({ outcome: "ok", approvedBy: "root" });
  });

  test("is written together a moment later, is bounded, and is there after a restart", async () => {
    const row = (time: number, name: string) => ({
      time,
      request: "r",
      key: "k",
      channel: "http",
      server: "s",
      method: "tools/call",
      name,
      shape: "",
      argumentBytes: 0,
      resultBytes: 0,
      outcome: "ok",
      duration: 0,
    });
    const first = openMcpBook(folder, DAY);
    for (let n = 0; n < 3000; n++) first.record(row(Date.now(), `t${n}`));
    first.record(row(Date.now() - 2 * DAY, "old"));
    first.close();
    const second = openMcpBook(folder, DAY, { rows: 1000 });
    const kept = second.audit({ limit: 5000 });
    expect(kept).toHaveLength(1000);
    expect(kept.map(({ name }) => name)).not.toContain("old");
    expect(kept[0]?.name).toBe("t2999");
    second.close();
  });

  test("loses no call to a database that another process holds", async () => {
    openMcpBook(folder, DAY).close();
    const holder = new DatabaseSync(join(folder, "omni.db"));
    const book = bookOf();
    const { hub } = hubWith(book, new ScriptedProvider({ tools: [tool("send")] }));
    await hub.tools(asker(), signal);
    holder.exec("BEGIN IMMEDIATE");
    await hub.callTool("mail__send", {}, asker(), context());
    await new Promise((resolve) => setTimeout(resolve, 400));
    holder.exec("COMMIT");
    holder.close();
    expect(hub.audit({ limit: 5 })).toHaveLength(1);
  });
});

describe("pins", () => {
  test("outlast the process, beside a node that owns the folder", async () => {
    const store = openStore(folder);
    open.push(() => store.close());
    const mail = new ScriptedProvider({ tools: [tool("send", { description: "good" })] });
    const book = bookOf();
    const first = hubWith(book, mail);
    await first.hub.tools(asker(), signal);
    expect(first.events.kinds()).toEqual(["mcp.tools-pinned"]);
    await restart(first.hub, book);
    const evil = new ScriptedProvider({ tools: [tool("send", { description: "evil" }), tool("new")] });
    const again = hubWith(bookOf(), evil);
    expect(namesOf(await again.hub.tools(asker(), signal))).toEqual(["mail__new"]);
    expect(again.events.kinds().toSorted()).toEqual(["mcp.tool-quarantined", "mcp.tools-pinned"]);
    const pin = again.hub.pins().find((one) => one.tool === "send");
    expect([pin?.by, pin?.definition.includes("good"), pin?.offered?.definition.includes("evil")]).toEqual([
      "first use",
      true,
      true,
    ]);
    expect(again.hub.servers()[0]).toMatchObject({ tools: 1, quarantined: 1 });
    again.hub.acceptPin("mail", "send", pin?.offered?.hash ?? "", "root");
    expect(namesOf(await again.hub.tools(asker(), signal))).toEqual(["mail__new", "mail__send"]);
    expect(again.hub.pins().find((one) => one.tool === "send")?.by).toBe("root");
    expect(() => again.hub.acceptPin("mail", "none", "", "root")).toThrow(
      expect.objectContaining({ code: "mcp.unknown-pin" }),
    );
  });

  test("changed in the database itself count for nothing", async () => {
    const mail = new ScriptedProvider({ tools: [tool("send", { description: "good" })] });
    const book = bookOf();
    const first = hubWith(book, mail);
    await first.hub.tools(asker(), signal);
    await restart(first.hub, book);
    const database = new DatabaseSync(join(folder, "omni.db"));
    database.exec("UPDATE mcp_pins SET definition = '{}'");
    database.close();
    const again = hubWith(bookOf(), mail);
    expect(await again.hub.tools(asker(), signal)).toEqual([]);
  });

  test("that were lost with their database are not made anew from what is offered then", async () => {
    const mail = new ScriptedProvider({ tools: [tool("send"), tool("list")] });
    const book = bookOf();
    const first = hubWith(book, mail);
    await first.hub.tools(asker(), signal);
    await restart(first.hub, book);
    for (const suffix of ["", "-wal", "-shm"]) rmSync(join(folder, `omni.db${suffix}`), { force: true });
    const second = bookOf();
    const lost = hubWith(second, mail);
    expect(await lost.hub.tools(asker(), signal)).toEqual([]);
    const [pin] = lost.hub.pins();
    expect(pin).toMatchObject({ tool: "list", by: "lost", definition: "" });
    lost.hub.acceptPin("mail", "list", pin?.offered?.hash ?? "", "root");
    await restart(lost.hub, second);
    const third = hubWith(bookOf(), mail);
    expect(namesOf(await third.hub.tools(asker(), signal))).toEqual(["mail__list"]);
  });

  test("that cannot be read close all pinned tools, say so, and harm nothing else", async () => {
    writeFileSync(join(folder, "omni.db"), "this is no database at all, and never was one".repeat(100));
    const lost: string[] = [];
    const book = bookOf(folder, DAY, { lost: (_rows, why) => lost.push(why) });
    const mail = new ScriptedProvider({ tools: [tool("send")] });
    const own = new ScriptedProvider({ tools: [tool("read")] });
    const loose = new ScriptedProvider({ tools: [tool("go")] });
    const made = hubOf(
      [member("mail", mail), member("own", own, {}, false), member("loose", loose, { pin: false })],
      { book },
    );
    open.push(() => made.hub.close());
    expect(namesOf(await made.hub.tools(asker(), signal))).toEqual(["loose__go", "own__read"]);
    expect(textOf(await made.hub.callTool("mail__send", {}, asker(), context()))).toContain(
      "(mcp.pins-unreadable)",
    );
    expect(textOf(await made.hub.callTool("own__read", {}, asker(), context()))).toBe("read {}");
    expect(mail.calls).toEqual([]);
    expect(made.events.kinds()).toContain("mcp.pins-unreadable");
    expect(made.hub.pins()).toEqual([]);
    expect(() => made.hub.audit({ limit: 1 })).toThrow(expect.objectContaining({ code: "store.unwritable" }));
    expect(lost[0]).toContain("not a database");
  });
});
