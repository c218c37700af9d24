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
const ROWS = [...TABLE.matchAll(/^\| (`\/[^|]*) *\| ([^|]+?) *\|/gm)].map(([, paths = "", methods = ""]) => ({
  paths: [...paths.matchAll(/`([^`]+)`/g)].map(([, path = ""]) => path.replaceAll(/\{[a-z]+\}|…/g, "x")),
  methods: methods === "any" ? ["GET", "POST", "PUT"] : methods.split(", "),
}));

it("every path of docs/gateway.md is there and takes the methods that it names", async () => {
  expect(ROWS.length).toBeGreaterThan(20);
  for (const { paths, methods } of ROWS)
    for (const path of paths) {
      // An engine's own HTTP takes OPTIONS itself; whom it is asked of decides before.
      const response = await fetch(node.url + path, {
        method: path.startsWith("/upstream") ? "GET" : "OPTIONS",
      });
      const text = await response.text();
      expect([path, text]).toEqual([path, expect.not.stringContaining("unknown_path")]);
      if (path.startsWith("/upstream")) expect(text).toContain("service_not_found");
      else
        expect([path, response.headers.get("allow")?.split(", ")]).toEqual([
          path,
          expect.arrayContaining(methods),
        ]);
    }
});
