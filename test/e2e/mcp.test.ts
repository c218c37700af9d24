import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";

import { ScriptedModel } from "../fakes/scripted-model.ts";
import { mcpClient, startMcpNode, textOf, writeMcpSpec } from "./mcp-node.ts";
import { eventually, omni, processesWith, temporaryFolder } from "./run-node.ts";

const SERVER = join(import.meta.dirname, "../fakes/mcp-stdio-server.ts");
const APPROVALS = z.object({
  approvals: z.array(z.object({ id: z.string(), tool: z.string(), key: z.string() })),
});

let folder = temporaryFolder();
beforeEach(() => {
  folder = temporaryFolder();
  mkdirSync(join(folder.path, "docs"));
  writeFileSync(join(folder.path, "docs/readme.md"), "The lamp is green.\n");
});
afterEach(() => folder.remove());

const FILES = "files: { filesystem: { roots: { docs: { path: ./docs, writable: true } } } }";
/** A program that is named after this test's folder, so that what is left of it would be found. */
const program = (settings: object = {}): string =>
  JSON.stringify([process.execPath, SERVER, JSON.stringify(settings), folder.path]);

describe.each([1, 2])("MCP of a node with %d gateway process(es)", { timeout: 120_000 }, (workers) => {
  it("serves files, programs and itself to clients of both eras, and goes on beside a server that is dead", async () => {
    const node = await startMcpNode(
      folder.path,
      `gateway: { workers: ${workers} }
tools:
  ${FILES}
  node: { node: {} }
  echo: { command: ${program()} }
  gone: { command: [/no/such/program] }
`,
    );
    try {
      for (const era of ["legacy", "auto"] as const) {
        const client = await mcpClient(node, { era });
        const names = (await client.listTools()).tools.map(({ name }) => name);
        expect(names).toEqual(
          expect.arrayContaining(["files__read_file", "files__write_file", "node__node_health"]),
        );
        expect(names.some((name) => name.startsWith("echo__"))).toBe(true);
        expect(names.filter((name) => name.startsWith("gone__"))).toEqual([]);
        const read = await client.callTool({
          name: "files__read_file",
          arguments: { path: "docs/readme.md" },
        });
        expect(textOf(read)).toContain("The lamp is green.");
        const health = await client.callTool({ name: "node__node_health", arguments: {} });
        expect(textOf(health)).toContain("1 of 1 services are ready");
        await client.close();
      }
      const servers: unknown = await (await fetch(`${node.url}/api/mcp/servers`)).json();
      expect(servers).toMatchObject({
        servers: expect.arrayContaining([
          expect.objectContaining({ name: "echo", state: "ready" }),
          expect.objectContaining({ name: "gone", state: "failed" }),
        ]),
      });
    } finally {
      expect(await node.interrupt()).toBe(0);
    }
    await eventually(() => processesWith(folder.path).length === 0);
  });

  it("writes when a person at the client or the operator allows it, and tells the audit", async () => {
    const node = await startMcpNode(folder.path, `gateway: { workers: ${workers} }\ntools: { ${FILES} }\n`);
    const write = (path: string) => ({
      name: "files__write_file",
      arguments: { path: `docs/${path}`, content: "new" },
    });
    try {
      const questions: string[] = [];
      const asked = await mcpClient(node, {
        says: (question) => {
          questions.push(question);
          return question.includes("yes.md");
        },
      });
      expect((await asked.callTool(write("yes.md"))).isError).not.toBe(true);
      expect((await asked.callTool(write("no.md"))).isError).toBe(true);
      expect(questions).toHaveLength(2);
      await asked.close();

      const mute = await mcpClient(node, { era: "legacy" });
      const waiting = mute.callTool(write("by-operator.md"));
      let id = "";
      await eventually(async () => {
        const { approvals } = APPROVALS.parse(await (await fetch(`${node.url}/api/mcp/approvals`)).json());
        id = approvals[0]?.id ?? "";
        return id !== "";
      });
      expect(await omni(["mcp", "approve", id], node.state)).toMatchObject({ code: 0 });
      expect((await waiting).isError).not.toBe(true);
      await mute.close();

      expect(readFileSync(join(folder.path, "docs/yes.md"), "utf8")).toBe("new");
      expect(readFileSync(join(folder.path, "docs/by-operator.md"), "utf8")).toBe("new");
      expect(() => readFileSync(join(folder.path, "docs/no.md"))).toThrow("ENOENT");
      const audit = await omni(["mcp", "audit", "--json"], node.state);
      expect(audit.code).toBe(0);
      expect(audit.stdout.match(/"outcome": *"ok"/g)).toHaveLength(2);
      expect(audit.stdout).toMatch(/"outcome": *"denied"/);
      expect(audit.stdout).not.toContain("yes.md");
    } finally {
      await node.interrupt();
    }
  });

  it("shows a key what is its own, takes over another spec, and says which secret is missing", async () => {
    writeFileSync(join(folder.path, "reader"), "secret-of-the-reader\n");
    writeFileSync(join(folder.path, "owner"), "secret-of-the-owner\n");
    const spec = (tools: string): string => `gateway: { workers: ${workers} }
keys:
  reader: { file: ./reader, tools: ["files__read_*"], mcp: { readOnly: true } }
  owner: { file: ./owner, admin: true }
tools: { ${tools} }
`;
    const node = await startMcpNode(folder.path, spec(FILES));
    try {
      const reader = await mcpClient(node, { key: "secret-of-the-reader" });
      const names = (await reader.listTools()).tools.map(({ name }) => name);
      expect(names).toContain("files__read_file");
      expect(names.filter((name) => !name.startsWith("files__read_"))).toEqual([]);
      await expect(reader.callTool({ name: "files__stat", arguments: { path: "docs" } })).rejects.toThrow(
        "files__stat",
      );
      await reader.close();
      const refused = await fetch(`${node.url}/api/mcp/servers`, {
        headers: { authorization: "Bearer secret-of-the-reader" },
      });
      expect(refused.status).toBe(403);
      expect((await fetch(`${node.url}/mcp`, { method: "POST" })).status).toBe(401);

      // A session that another spec does not end.
      const owner = await mcpClient(node, { key: "secret-of-the-owner", era: "legacy" });
      expect((await owner.listTools()).tools.map(({ name }) => name)).not.toContain("node__list_models");
      const next = spec(`${FILES}, data: { postgres: { dsn: { file: ./no-dsn } } }, node: { node: {} }`);
      writeMcpSpec(folder.path, next);
      const owned = { env: { OMNI_API_KEY: "secret-of-the-owner" } };
      expect(await omni(["reload"], node.state, undefined, owned)).toMatchObject({ code: 0 });
      expect((await owner.listTools()).tools.map(({ name }) => name)).toContain("node__list_models");
      await owner.close();
      const servers = await omni(["mcp", "servers"], node.state, undefined, owned);
      expect(servers.stdout).toContain("no-dsn");
      expect(servers.stdout + node.stderr()).not.toContain("secret-of-the");
    } finally {
      await node.interrupt();
    }
  });

  it("calls tools for a model whose client asks for them", async () => {
    await using model = await ScriptedModel.start();
    const node = await startMcpNode(
      folder.path,
      `engines: { far: { kind: openai, url: "${model.url}/v1" } }
services: { demo: { model: demo }, far: { model: far, engine: far } }
gateway: { workers: ${workers} }
tools: { ${FILES} }
`,
      ", far: { source: { remote: m } }",
    );
    try {
      await model.play(
        { calls: [{ name: "files__read_file", arguments: '{"path":"docs/readme.md"}' }] },
        { text: "It is green." },
      );
      const answer = await fetch(`${node.url}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          model: "far",
          messages: [{ role: "user", content: "Which colour has the lamp?" }],
          tools: [{ type: "mcp", server_label: "files", allowed_tools: ["read_file"] }],
        }),
      });
      expect(await answer.json()).toMatchObject({
        choices: [{ message: { content: "It is green." }, finish_reason: "stop" }],
      });
      const seen = JSON.stringify(await model.seen());
      expect(seen).toContain("The lamp is green.");
    } finally {
      await node.interrupt();
    }
  });
});
