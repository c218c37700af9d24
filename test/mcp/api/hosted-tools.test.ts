import { expect, it } from "vitest";

import { hostedTools } from "../../../src/cli/node/hosted-tools.ts";
import { ToolRunner } from "../../../src/gateway/tools/tool-runner.ts";
import { TOOL_BOUNDS } from "../../../src/gateway/tools/tool-bounds.ts";
import { MemoryEventLog } from "../../fakes/memory-event-log.ts";
import { ScriptedHub } from "../../fakes/scripted-hub.ts";
import { GUEST } from "../../fakes/small-node.ts";

const { signal } = new AbortController();
const CONTEXT = { caller: GUEST, request: "req_1", signal, maxBytes: 1000 };

it("offers the hub's tools of a server with what needs approval, as the one who asks", async () => {
  const host = hostedTools(new ScriptedHub());
  expect(host.servers(GUEST)).toEqual(["files", "web"]);
  expect(await host.list("files", GUEST, signal)).toEqual([
    { name: "read", description: "read a file", inputSchema: { type: "object" }, needsApproval: false },
    { name: "erase", description: "erase a file", inputSchema: { type: "object" }, needsApproval: true },
  ]);
  await expect(host.list("web", GUEST, signal)).rejects.toMatchObject({ code: "mcp.unreachable" });
});

it("calls by the inside way, and names what is no text", async () => {
  const hub = new ScriptedHub();
  const host = hostedTools(hub);
  hub.answer = async () => ({
    content: [
      { type: "text", text: "one" },
      { type: "image", mimeType: "image/png", data: "AAAA" },
      { type: "resource_link", uri: "files+a:b", name: "b" },
      { type: "resource", resource: { uri: "files+a:c", text: "contents" } },
    ],
    isError: true,
  });
  expect(await host.call("files", "read", { path: "a" }, CONTEXT)).toEqual({
    text: "one\n[image, image/png, 3 bytes]\n[resource files+a:b]\n[resource files+a:c]\ncontents",
    isError: true,
  });
  expect(hub.calls).toMatchObject([{ of: "files/read", asker: { caller: GUEST, channel: "inside" } }]);
  expect(hub.calls[0]?.context).toEqual({ request: "req_1", signal, capabilities: {} });
  hub.answer = async () => ({ content: [], structuredContent: { rows: 3 } });
  expect(await host.call("files", "read", {}, CONTEXT)).toEqual({ text: '{"rows":3}', isError: false });
  hub.answer = async () => ({ resultType: "input_required", inputRequests: {} });
  expect(await host.call("files", "read", {}, CONTEXT)).toEqual({
    text: expect.stringContaining("asks the person at the client"),
    isError: true,
  });
});

it("is told of an agreed call that it is agreed, and within how many chats it is", async () => {
  const hub = new ScriptedHub();
  const around = {
    host: hostedTools(hub),
    events: new MemoryEventLog(),
    bounds: TOOL_BOUNDS,
    caller: GUEST,
    request: "req_1",
    signal,
    asksApproval: true,
    depth: 1,
  };
  const tool = { name: "files__erase", server: "files", tool: "erase", inputSchema: {}, approval: true };
  const call = { id: "c1", name: tool.name, arguments: "{}", tool };
  const run = (calls: readonly (typeof call)[]) =>
    new ToolRunner(around).run(
      calls,
      () => 1000,
      () => {},
      () => {},
    );
  await run([call]);
  const agreed = { ...call, approval: "mcpr_1" };
  await run([agreed]);
  expect(hub.calls.map(({ context }) => [context.approved, context.meta])).toEqual([
    [undefined, { "omni/depth": 1 }],
    [true, { "omni/depth": 1 }],
  ]);
});
