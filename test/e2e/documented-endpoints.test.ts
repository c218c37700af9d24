import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RunningNode } from "./run-node.ts";
import { ROOT, startNode, temporaryFolder } from "./run-node.ts";

const folder = temporaryFolder();
let node: RunningNode;
beforeAll(async () => {
  node = await startNode([], folder.path);
});
afterAll(async () => {
  await node.interrupt();
  folder.remove();
});

const PAGE = readFileSync(join(ROOT, "docs/gateway.md"), "utf8");
const TABLE = PAGE.slice(PAGE.indexOf("## Endpoints"), PAGE.indexOf("## How a name"));
/** Rows whose methods are named; an engine's own paths take what the engine does. */
const ROWS = [...TABLE.matchAll(/^\| (`\/[^|]*) *\| ([^|]+?) *\|/gm)]
  .map(([, paths = "", methods = ""]) => ({
    paths: [...paths.matchAll(/`([^`]+)`/g)].map(([, path = ""]) => path.replaceAll(/\{[a-z]+\}|…/g, "x")),
    methods: methods.split(", "),
  }))
  .filter(({ methods }) => !methods.includes("any"));

/** What a path says about itself: the methods that it takes, or the error that it is no path. */
async function methodsAt(path: string): Promise<string> {
  const response = await fetch(node.url + path, { method: "OPTIONS" });
  return response.headers.get("allow") ?? (await response.text());
}

it("every path of docs/gateway.md is there and takes the methods that it names", async () => {
  expect(ROWS.length).toBeGreaterThan(20);
  for (const { paths, methods } of ROWS)
    for (const path of paths) {
      const said = await methodsAt(path);
      const missing = methods.filter((method) => !said.split(", ").includes(method));
      expect([path, said, missing]).toEqual([path, said, []]);
    }
});

it("an engine's own HTTP takes every method, and knows which services there are", async () => {
  expect(TABLE).toContain("| `/upstream/{service}/…` | any |");
  const response = await fetch(`${node.url}/upstream/nobody/x`, { method: "PUT" });
  expect(await response.json()).toMatchObject({ error: { code: "service_not_found" } });
});
