import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { firstFiveMinutes } from "./readme-blocks.ts";
import { clonedTree, walk } from "./walk-readme.ts";
import type { Walked } from "./walk-readme.ts";

const STEPS = [
  "A first answer",
  "Your own model",
  "A second service, and a route with a fallback",
  "A key",
  "An MCP client",
];
const BLOCKS = firstFiveMinutes();
const folder = mkdtempSync(join(tmpdir(), "omni-readme-"));
const env = {
  ...process.env,
  HOME: join(folder, "home"),
  OMNI_STATE: join(folder, "state"),
  OMNI_KEY: "",
  OMNI_API_KEY: "",
};

/** The README names the usual port: where somebody else has it, nothing can be copied from there. */
const taken = await new Promise<boolean>((resolve) => {
  const socket = connect(4664, "127.0.0.1", () => {
    socket.destroy();
    resolve(true);
  });
  socket.once("error", () => resolve(false));
});

beforeAll(() => clonedTree(join(folder, "omni")));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("the README leads from nothing to an MCP client in five steps", () => {
  expect([...new Set(BLOCKS.map(({ step }) => step))]).toEqual(STEPS);
});

it.skipIf(taken)(
  `every command of the README's first five minutes works as it is copied${taken ? " (skipped: port 4664 is taken)" : ""}`,
  async () => {
    // What npm ci brings is there; installing it anew would need the internet.
    const blocks = BLOCKS.map((block) => ({ ...block, commands: block.commands.replace("npm ci && ", "") }));
    await walk({ folder: join(folder, "omni"), env }, blocks, async (walked, type) => {
      const said = (step: string): string => saidIn(walked, step);
      expect(said("A first answer")).toMatch(/omni-demo +ready/);
      expect(said("A first answer")).toMatch(/sovereign AI node/);
      expect(said("Your own model")).toMatch(/chat +ready/);
      expect(said("Your own model")).toMatch(/SERVICES/);
      expect(said(STEPS[2] ?? "")).toMatch(/4664/);
      expect(said(STEPS[2] ?? "")).toMatch(/x-omni-service: spare/i);
      expect(said("A key")).toMatch(/from now on the node asks everyone/);
      expect(said("An MCP client")).toMatch(/docs__|node__/);
      expect(await toolsOf(await type(`cat .mcp.json`), await type(`printf %s "$OMNI_KEY"`))).toEqual(
        expect.arrayContaining(["node__list_models", expect.stringMatching(/^docs__/)]),
      );
    });
  },
  240_000,
);

const saidIn = (walked: readonly Walked[], step: string): string =>
  walked
    .filter((block) => block.step === step)
    .map(({ printed }) => printed)
    .join("\n");

const CONFIG = z.object({
  mcpServers: z.object({
    omni: z.object({
      type: z.literal("http"),
      url: z.url(),
      headers: z.object({ Authorization: z.string() }),
    }),
  }),
});

/** What a client that is configured by this file sees. */
async function toolsOf(config: string, secret: string): Promise<readonly string[]> {
  const { url, headers } = CONFIG.parse(JSON.parse(config)).mcpServers.omni;
  const authorization = headers.Authorization.replace("${OMNI_KEY}", secret);
  const client = new Client({ name: "reader", version: "1" });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { authorization } } }),
  );
  try {
    return (await client.listTools()).tools.map(({ name }) => name);
  } finally {
    await client.close();
  }
}
