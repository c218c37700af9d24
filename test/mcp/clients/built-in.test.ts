import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT, startNode, temporaryFolder } from "../../e2e/run-node.ts";
import type { RunningNode } from "../../e2e/run-node.ts";
import { INSTALLED, NEEDS, SUITES } from "../suites.ts";

const folder = temporaryFolder();
const state = join(folder.path, "state");
let node: RunningNode | undefined;
beforeAll(async () => {
  if (!INSTALLED) return;
  mkdirSync(join(folder.path, "docs"));
  writeFileSync(join(folder.path, "docs", "a.txt"), "hello from a file\n");
  const spec = join(folder.path, "omni.yaml");
  const tools = {
    files: { filesystem: { roots: { docs: { path: "./docs", writable: true } } } },
    node: { node: { chat: true, control: true } },
  };
  writeFileSync(spec, JSON.stringify({ omni: 1, models: { chat: "builtin:omni-demo" }, tools }));
  node = await startNode([spec], state);
}, 60_000);
afterAll(async () => {
  await node?.interrupt();
  folder.remove();
});

/** One request of the Inspector to the running node; its lint of tools' schemas fails it where one is not portable. */
async function inspect(request: readonly string[], target: readonly string[]) {
  const flags = ["--cli", "--connect-timeout", "60000", "--format", "json", "--method", ...request];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    // Clients give a program that they start a few variables of their own alone, and those that they are told to give.
    [SUITES.inspector, ...flags, "-e", `OMNI_STATE=${state}`, "--", ...target],
    { cwd: folder.path },
  );
  return JSON.parse(stdout).result;
}

test.skipIf(!INSTALLED)(
  `the schemas of Omni's own servers pass the Inspector's strict lint, at a node and over ./omni mcp ${NEEDS}`,
  async () => {
    const [http, stdio, read] = await Promise.all([
      inspect(["tools/list", "--strict"], [`${node?.url}/mcp`]),
      inspect(["tools/list", "--strict"], [join(ROOT, "omni"), "mcp"]),
      inspect(
        ["tools/call", "--tool-name", "files__read_file", "--tool-args-json", '{"path":"docs/a.txt"}'],
        [join(ROOT, "omni"), "mcp"],
      ),
    ]);
    const names: readonly string[] = http.tools.map((tool: { name: string }) => tool.name);
    expect(names).toEqual(expect.arrayContaining(["files__write_file", "node__chat", "node__load_service"]));
    expect(stdio.tools.map((tool: { name: string }) => tool.name)).toEqual(names);
    expect(JSON.stringify(read.content)).toContain("hello from a file");
  },
);
