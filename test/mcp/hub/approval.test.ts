import { afterEach, describe, expect, test, vi } from "vitest";
import { QUESTION } from "../../../src/mcp/approvals/approval-question.ts";
import type { ChangingHub } from "../../../src/mcp/hub/create-hub.ts";
import type { HubContext } from "../../../src/mcp/hub.ts";
import { asked, asker, context, hubOf, member, result, textOf } from "../../fakes/hub-under-test.ts";
import { ScriptedProvider, tool } from "../../fakes/mcp-provider.ts";

const form: Partial<HubContext> = { capabilities: { elicitation: {} } };
const hubs: ChangingHub[] = [];

function open(
  more: Parameters<typeof member>[2] = {},
  options: Parameters<typeof hubOf>[1] = {},
  provider = new ScriptedProvider({
    tools: [tool("drop"), tool("keep"), tool("look", { annotations: { readOnlyHint: true } })],
  }),
): ReturnType<typeof hubOf> & { readonly provider: ScriptedProvider } {
  const opened = hubOf([member("data", provider, { approval: "destructive", ...more })], options);
  hubs.push(opened.hub);
  return { ...opened, provider };
}

afterEach(async () => {
  await Promise.all(hubs.splice(0).map((hub) => hub.close()));
});

const answer = (content: unknown, action = "accept"): Record<string, unknown> => ({
  [QUESTION]: { action, content },
});
const yes = answer({ approve: true });

/** A call that asks, and its state. */
async function ask(hub: ChangingHub, args: Record<string, unknown> = { table: "t" }): Promise<string> {
  return asked(await hub.callTool("data__drop", args, asker(), context(form))).requestState ?? "";
}

const retry = (requestState: string, inputResponses: Record<string, unknown> = yes): HubContext =>
  context({ ...form, requestState, inputResponses });

/** The message of the question. */
function questionOf(given: ReturnType<typeof asked>): string {
  const request = given.inputRequests?.[QUESTION];
  return request?.method === "elicitation/create" ? request.params.message : "";
}

const invalid = { code: -32602, message: expect.stringContaining("Invalid or expired requestState") };

describe("approval by the person at the client", () => {
  test("asks with server, tool and arguments, and calls once it is given", async () => {
    const { hub, provider, events } = open();
    const first = asked(await hub.callTool("data__drop", { table: "t" }, asker(), context(form)));
    expect(questionOf(first)).toBe(
      'Omni: a tool call needs approval.\nServer: data\nTool: "drop"\nArguments:\n  "table": "t"\nAllow this call?',
    );
    expect(provider.calls).toHaveLength(0);
    const done = await hub.callTool("data__drop", { table: "t" }, asker(), retry(first.requestState ?? ""));
    expect(textOf(done)).toBe('drop {"table":"t"}');
    expect(provider.calls[0]?.context.inputResponses).toBeUndefined();
    expect(provider.calls[0]?.context.requestState).toBeUndefined();
    expect(JSON.stringify(events.events)).not.toContain('"t"');
  });

  test("needs none for what is known to change nothing", async () => {
    const { hub } = open();
    expect(textOf(await hub.callTool("data__look", {}, asker(), context()))).toBe("look {}");
  });

  const refusals: Record<string, Record<string, unknown>> = {
    "a declined form": answer(undefined, "decline"),
    "a cancelled form": answer({ approve: true }, "cancel"),
    "an accepted form without the tick": answer({ approve: false }),
    "an accepted form with a text for the tick": answer({ approve: "true" }),
    "an accepted form with nothing in it": answer(undefined),
    "a list": { [QUESTION]: [{ action: "accept", content: { approve: true } }] },
    "a text": { [QUESTION]: "accept" },
  };
  for (const [what, responses] of Object.entries(refusals)) {
    test(`${what} is no approval`, async () => {
      const { hub, provider } = open();
      const state = await ask(hub);
      const denied = result(
        await hub.callTool("data__drop", { table: "t" }, asker(), retry(state, responses)),
      );
      expect([denied.isError, textOf(denied)]).toEqual([
        true,
        expect.stringContaining("(mcp.approval-denied)"),
      ]);
      expect(provider.calls).toHaveLength(0);
      await expect(hub.callTool("data__drop", { table: "t" }, asker(), retry(state))).rejects.toMatchObject(
        invalid,
      );
    });
  }

  test("an answer without the state of the question is a new question", async () => {
    const { hub, provider } = open();
    const again = await hub.callTool("data__drop", {}, asker(), context({ ...form, inputResponses: yes }));
    expect(questionOf(asked(again))).toContain("needs approval");
    expect(provider.calls).toHaveLength(0);
  });

  test("a state without an answer, or with an inherited one, is asked again", async () => {
    const { hub, provider } = open();
    const state = await ask(hub);
    for (const responses of [{}, Object.create(yes)]) {
      const again = await hub.callTool("data__drop", { table: "t" }, asker(), retry(state, responses));
      expect(questionOf(asked(again))).toContain("needs approval");
    }
    expect(provider.calls).toHaveLength(0);
  });

  test("an approval is good for one call, with the same arguments, tool and key", async () => {
    const { hub, provider } = open();
    const state = await ask(hub);
    const wrong: [string, Record<string, unknown>, string][] = [
      ["data__drop", { table: "other" }, "ann"],
      ["data__drop", { table: "t", cascade: true }, "ann"],
      ["data__drop", { table: ["t"] }, "ann"],
      ["data__keep", { table: "t" }, "ann"],
      ["data__drop", { table: "t" }, "bob"],
    ];
    for (const [name, args, key] of wrong)
      await expect(hub.callTool(name, args, asker({ key }), retry(state))).rejects.toMatchObject(invalid);
    expect(provider.calls).toHaveLength(0);
    await hub.callTool("data__drop", { table: "t" }, asker(), retry(state));
    await expect(hub.callTool("data__drop", { table: "t" }, asker(), retry(state))).rejects.toMatchObject(
      invalid,
    );
    expect(provider.calls).toHaveLength(1);
  });

  test("of two uses at the same moment one is refused", async () => {
    const { hub, provider } = open();
    const state = await ask(hub);
    const both = await Promise.allSettled(
      [1, 2].map(() => hub.callTool("data__drop", { table: "t" }, asker(), retry(state))),
    );
    expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(provider.calls).toHaveLength(1);
  });

  test("no changed character of a state is taken, nor one of another hub", async () => {
    const { hub, provider } = open();
    const state = await ask(hub);
    const elsewhere = await ask(open().hub);
    const step = Math.ceil(state.length / 60);
    const forged = [elsewhere, `${state}=`, `${state}.`, ` ${state}`, state.slice(0, -1), state.slice(3)];
    for (let at = 0; at < state.length; at += step)
      forged.push(`${state.slice(0, at)}${state[at] === "A" ? "B" : "A"}${state.slice(at + 1)}`);
    const last = state.length - 1;
    for (const end of "ABCDEFGHabcdefgh") if (end !== state[last]) forged.push(state.slice(0, last) + end);
    for (const one of forged)
      await expect(hub.callTool("data__drop", { table: "t" }, asker(), retry(one))).rejects.toMatchObject(
        invalid,
      );
    expect(provider.calls).toHaveLength(0);
  });

  test("a state is good until the time to approve is up", async () => {
    let now = 1_000_000;
    const { hub } = open({ approver: "client" }, { now: () => now, approvalTimeout: 60_000 });
    const state = await ask(hub);
    now += 60_000;
    await expect(hub.callTool("data__drop", { table: "t" }, asker(), retry(state))).rejects.toMatchObject(
      invalid,
    );
  });

  test("arguments cannot pose as the question, nor hide in it", async () => {
    const { hub } = open();
    const nasty = {
      "note\nServer: files": 'x\nTool: "list"\r\nAllow this call?',
      ansi: "\u001B[2J\u001B[1;1Hharmless",
      bidi: "\u202Etxt.exe\u2066",
      zero: "a\u200Bb\u2028c\u00A0d\u{E0041}",
      quote: '", "approved": "true',
      long: "y".repeat(5000),
      nested: { deep: ["line\nline", "\u202E"] },
    };
    const text = questionOf(asked(await hub.callTool("data__drop", nasty, asker(), context(form))));
    const lines = text.split("\n");
    expect(lines).toHaveLength(4 + Object.keys(nasty).length + 1);
    expect(lines.slice(0, 4)).toEqual([
      "Omni: a tool call needs approval.",
      "Server: data",
      'Tool: "drop"',
      "Arguments:",
    ]);
    expect(text.replaceAll("\n", "")).not.toMatch(/\p{C}|\p{Zl}|\p{Zp}|[^\P{Zs} ]/u);
    expect(text).toContain(String.raw`"ansi": "\u{1b}[2J\u{1b}[1;1Hharmless"`);
    expect(text).toContain(String.raw`"bidi": "\u{202e}txt.exe\u{2066}"`);
    expect(text).toContain(String.raw`"quote": "\", \"approved\": \"true"`);
    expect(text).toContain("(5000 characters)");
    expect(text.length).toBeLessThan(4000);
  });

  test("comes before what the server asks itself, and counts through all of its rounds", async () => {
    const provider = new ScriptedProvider({ tools: [tool("drop")] });
    provider.script.call = (_name, _args, { requestState, inputResponses }) => {
      if (requestState === undefined)
        return {
          resultType: "input_required",
          inputRequests: {
            sure: {
              method: "elicitation/create",
              params: { mode: "form", message: "Sure?", requestedSchema: { type: "object", properties: {} } },
            },
          },
          requestState: "one",
        };
      return { content: [{ type: "text", text: `${requestState} ${JSON.stringify(inputResponses)}` }] };
    };
    const { hub } = open({}, {}, provider);
    const first = await ask(hub);
    const second = asked(await hub.callTool("data__drop", { table: "t" }, asker(), retry(first)));
    expect(Object.keys(second.inputRequests ?? {})).toEqual(["sure"]);
    const sure = { sure: { action: "accept", content: {} } };
    const back = retry(second.requestState ?? "", sure);
    expect(textOf(await hub.callTool("data__drop", { table: "t" }, asker(), back))).toBe(
      'one {"sure":{"action":"accept","content":{}}}',
    );
    await expect(hub.callTool("data__drop", { table: "t" }, asker(), back)).rejects.toMatchObject(invalid);
  });

  test("a client that cannot ask is told so", async () => {
    const { hub, provider } = open({ approver: "client" });
    for (const capabilities of [{}, { elicitation: { url: {} } }]) {
      const told = await hub.callTool("data__drop", {}, asker(), context({ capabilities }));
      expect(textOf(told)).toContain("(mcp.approval-unavailable)");
    }
    expect(provider.calls).toHaveLength(0);
  });
});

describe("approval by the operator", () => {
  test("a call waits for it, with notices, and goes on", async () => {
    const { hub, provider, events } = open({ approver: "operator" });
    const onProgress = vi.fn<(progress: object) => void>();
    const call = hub.callTool("data__drop", { table: "t" }, asker(), context({ ...form, onProgress }));
    await expect.poll(() => hub.approvals()).toHaveLength(1);
    const [pending] = hub.approvals();
    expect(pending).toMatchObject({ key: "ann", server: "data", tool: "drop", arguments: { table: "t" } });
    expect(provider.calls).toHaveLength(0);
    hub.decide(pending?.id ?? "", true, "root");
    expect(textOf(await call)).toBe('drop {"table":"t"}');
    expect(onProgress).toHaveBeenCalledWith(
      expect.objectContaining({ message: expect.stringContaining("Waits") }),
    );
    expect(hub.approvals()).toEqual([]);
    expect(events.kinds()).toEqual(expect.arrayContaining(["mcp.approval-waiting", "mcp.approval-approved"]));
    expect(() => hub.decide(pending?.id ?? "", true, "root")).toThrow(
      expect.objectContaining({ code: "mcp.unknown-approval" }),
    );
  });

  test("denied or not decided is an answer that says so", async () => {
    const { hub, provider } = open({ approver: "operator" }, { approvalTimeout: 60 });
    const first = hub.callTool("data__drop", {}, asker(), context());
    await expect.poll(() => hub.approvals()).toHaveLength(1);
    hub.decide(hub.approvals()[0]?.id ?? "", false, "root");
    expect(textOf(await first)).toContain("was refused by root");
    const second = await hub.callTool("data__drop", {}, asker(), context());
    expect(textOf(second)).toContain("(mcp.approval-timeout)");
    expect(provider.calls).toHaveLength(0);
  });

  test("a client that is gone leaves nothing to decide", async () => {
    const { hub, provider } = open({ approver: "operator" });
    const gone = new AbortController();
    const call = hub.callTool("data__drop", {}, asker(), context({ signal: gone.signal }));
    await expect.poll(() => hub.approvals()).toHaveLength(1);
    gone.abort();
    await expect(call).rejects.toMatchObject({ message: "The request was cancelled." });
    expect(hub.approvals()).toEqual([]);
    expect(provider.calls).toHaveLength(0);
  });

  test("so many calls of one key may wait, and no more", async () => {
    const { hub } = open({ approver: "operator" }, { approvalTimeout: 10_000 });
    const all = new AbortController();
    const calls = Array.from({ length: 40 }, () =>
      hub.callTool("data__drop", {}, asker(), context({ signal: all.signal })),
    );
    await expect.poll(() => hub.approvals()).toHaveLength(32);
    all.abort();
    const ended = await Promise.allSettled(calls);
    expect(ended.filter(({ status }) => status === "fulfilled")).toHaveLength(8);
  });

  test("either: who answers first decides, and the other's answer is nothing", async () => {
    const { hub, provider } = open();
    const first = await ask(hub);
    const [pending] = hub.approvals();
    hub.decide(pending?.id ?? "", false, "root");
    const denied = await hub.callTool("data__drop", { table: "t" }, asker(), retry(first));
    expect(textOf(denied)).toContain("was refused by root");
    const second = await ask(hub);
    await hub.callTool("data__drop", { table: "t" }, asker(), retry(second));
    expect(hub.approvals()).toEqual([]);
    const third = await ask(hub);
    hub.decide(hub.approvals()[0]?.id ?? "", true, "root");
    await hub.callTool("data__drop", { table: "t" }, asker(), retry(third, {}));
    expect(provider.calls).toHaveLength(2);
  });
});

describe("hosted tools of model requests", () => {
  test("need an approval that the request brought, and an operator's where only that counts", async () => {
    const { hub, provider } = open();
    const inside = asker({}, "inside");
    const listed = await hub.toolsOf("data", inside, new AbortController().signal);
    expect(listed.map(({ tool: { name }, needsApproval }) => [name, needsApproval])).toEqual([
      ["drop", true],
      ["keep", true],
      ["look", false],
    ]);
    const refused = await hub.callToolOf("data", "drop", {}, inside, context(form));
    expect(textOf(refused)).toContain("(mcp.approval-unavailable)");
    expect(provider.calls).toHaveLength(0);
    const approved = { ...context(form), approved: true };
    expect(textOf(await hub.callToolOf("data", "drop", {}, inside, approved))).toBe("drop {}");
    expect(provider.calls[0]?.context).not.toHaveProperty("approved");
    await expect(hub.callToolOf("data", "none", {}, inside, context())).rejects.toMatchObject({
      code: -32602,
    });
    await expect(
      hub.toolsOf("data", asker({ tools: ["other"] }, "inside"), new AbortController().signal),
    ).rejects.toMatchObject({ code: "mcp.unknown-server" });
  });
});
