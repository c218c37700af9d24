import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";

import { mcp as command } from "../../../src/cli/commands/mcp.ts";
import { pinDiff } from "../../../src/cli/mcp/pin-diff.ts";
import { temporaryFolder } from "../../e2e/run-node.ts";
import { browse } from "../../fakes/browser.ts";
import { inProcess } from "../../fakes/command-in-process.ts";
import { UpstreamNode } from "../../fakes/upstream-node.ts";

const folder = temporaryFolder();
/** Keys that were shown, and what the next request is answered. */
const shown: (string | undefined)[] = [];
let answer: { readonly status: number; readonly body: unknown } = { status: 200, body: { servers: [] } };
let url = "";

const server = createServer((req, res) => {
  shown.push(req.headers.authorization);
  req.resume().once("end", () => {
    res.writeHead(answer.status, { "content-type": "application/json" }).end(JSON.stringify(answer.body));
  });
});
beforeAll(async () => {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const isPort = (one: AddressInfo | string | null): one is AddressInfo =>
    typeof one === "object" && one !== null;
  url = `http://127.0.0.1:${isPort(address) ? address.port : 0}`;
});
afterAll(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  folder.remove();
});
beforeEach(() => {
  shown.length = 0;
  vi.stubEnv("OMNI_STATE", folder.path);
  vi.stubEnv("OMNI_KEY", undefined);
  vi.stubEnv("OMNI_API_KEY", undefined);
});

const mcp = (...args: string[]) => inProcess(command, [...args, "--url", url]);
const refuse = (status: number, code: string, message: string) => {
  answer = { status, body: { error: { code, message, type: "x" } } };
};

it("shows the key of the place that is named, and never says it", async () => {
  answer = { status: 200, body: { servers: [] } };
  expect((await mcp("servers")).stdout).toContain("tools: of its omni.yaml names them");
  vi.stubEnv("OMNI_API_KEY", "usual");
  await mcp("servers");
  vi.stubEnv("OMNI_KEY", "first");
  await mcp("servers");
  vi.stubEnv("OTHER", "named");
  await mcp("servers", "--key-env", "OTHER");
  const file = join(folder.path, "key");
  writeFileSync(file, "filed\n");
  await mcp("servers", "--key-file", file);
  expect(shown).toEqual([undefined, "Bearer usual", "Bearer first", "Bearer named", "Bearer filed"]);
  writeFileSync(file, "two words\n");
  const wrong = await mcp("servers", "--key-file", file);
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("more than one word")]);
  expect(wrong.stderr).not.toContain("two");
  expect(await mcp("servers", "--key-file", `${file}-none`)).toMatchObject({ code: 2 });
  expect(await mcp("servers", "--key-file", file, "--key-env", "OTHER")).toMatchObject({ code: 2 });
});

it("ends with the exit code of what the node refused, and says what to do", async () => {
  refuse(401, "invalid_api_key", "This node asks for a key.");
  expect(await mcp("servers")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("--key-file. It needs admin."),
  });
  expect(await mcp("call", "files__stat")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("Set OMNI_KEY"),
  });
  refuse(403, "admin_required", "This is for keys that may change the node.");
  expect(await mcp("pins")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("keys create NAME --admin"),
  });
  refuse(409, "mcp_pin_moved", "It moved.");
  expect(await mcp("retry", "x")).toMatchObject({
    code: 3,
    stderr: expect.stringContaining("mcp.pin-moved"),
  });
  refuse(400, "invalid_query", "limit: is a whole number.");
  expect(await mcp("audit")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("limit: is a whole number"),
  });
  refuse(404, "unknown_path", "No such path.");
  expect(await mcp("tools")).toMatchObject({ code: 1, stderr: expect.stringContaining("No such path.") });
  answer = { status: 200, body: ["nonsense"] };
  expect(await mcp("approvals")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("not as a node of Omni"),
  });
});

it("shows what changed of a definition, hidden characters by their numbers", () => {
  const before = JSON.stringify({ name: "a", description: "Finds.", inputSchema: { type: "object" } });
  const after = JSON.stringify({
    name: "a",
    description: "Finds.\n\u202Enoitome\u202C \u{E0041}\u00A0x\u001B[2J",
    inputSchema: { type: "object", required: ["token"] },
  });
  expect(pinDiff(before, after)).toEqual([
    { kind: "same", text: 'name: "a"' },
    { kind: "removed", text: 'description: "Finds."' },
    { kind: "added", text: "description:" },
    { kind: "added", text: "  | Finds." },
    { kind: "added", text: String.raw`  | \u{202e}noitome\u{202c} \u{e0041}\u{a0}x\u{1b}[2J` },
    { kind: "same", text: 'inputSchema.type: "object"' },
    { kind: "added", text: 'inputSchema.required.0: "token"' },
  ]);
  expect(pinDiff(before, before)).toEqual([]);
  expect(pinDiff("no json", "other")).toHaveLength(2);
});

it("logs in to a server of the spec with a browser, and keeps what the node uses", async () => {
  await using upstream = await UpstreamNode.start();
  vi.stubEnv("OMNI_STATE", upstream.folder);
  const spec = join(folder.path, "login.yaml");
  const write = (http: unknown) =>
    writeFileSync(spec, JSON.stringify({ omni: 1, tools: { wiki: { http }, files: { command: ["x"] } } }));
  const login = (...args: string[]) =>
    inProcess(command, ["login", ...args, "--spec", spec], (text) => {
      const address = /^http\S+$/m.exec(text)?.[0];
      if (text.startsWith("Log in") && address !== undefined) void browse(address);
    });
  write({ url: upstream.server.url });
  expect(await login("wiki")).toMatchObject({ code: 2, stderr: expect.stringContaining("oauth: {}") });
  write({ url: upstream.server.url, oauth: {} });
  expect(await login("files")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("nowhere to log in"),
  });
  expect(await login("wik")).toMatchObject({ code: 2, stderr: expect.stringContaining("mcp login wiki") });
  expect((await login("wiki", "--dry-run")).stdout).toContain(
    `Would log in to wiki at ${new URL(upstream.server.url).origin}`,
  );
  const done = await login("wiki");
  expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining("wiki has tokens now") });
  expect(await upstream.callTool(upstream.person())).not.toBe("");
});
