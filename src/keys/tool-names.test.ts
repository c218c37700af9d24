import fc from "fast-check";
import { expect, test } from "vitest";

import { functionName, uniqueName } from "./tool-names.ts";
import { matches, mayUseServer, mayUseTool } from "./tool-scope.ts";

test("a name that is one already stays, others end in a hash of both names", () => {
  expect(functionName("docs", "search")).toBe("docs__search");
  expect(functionName("docs", "fetch page")).toMatch(/^docs__fetch_page_[0-9a-f]{8}$/);
  expect(functionName("docs", "fetch page")).not.toBe(functionName("docs", "fetch+page"));
  expect(functionName("docs", "x".repeat(80))).toHaveLength(64);
});

test("any set of tools gets names that engines take and that differ", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 30 }), (tools) => {
      const taken = new Set<string>();
      for (const [server, tool] of tools) {
        const name = uniqueName(server, tool, taken);
        expect(name).toMatch(/^[\w-]{1,64}$/);
        expect(taken.has(name)).toBe(false);
        taken.add(name);
      }
    }),
  );
});

test("scopes name servers, or tools by globs", () => {
  const key = { tools: ["docs", "fs__read_*", "*__list"] };
  expect(mayUseTool(key, "docs", "anything")).toBe(true);
  expect(mayUseTool(key, "fs", "read_file")).toBe(true);
  expect(mayUseTool(key, "fs", "write_file")).toBe(false);
  expect(mayUseTool(key, "db", "list")).toBe(true);
  expect(mayUseServer(key, "fs")).toBe(true);
  expect(mayUseServer({ tools: ["fs__read"] }, "db")).toBe(false);
  expect(mayUseServer({ tools: [] }, "docs")).toBe(false);
  expect(mayUseTool({}, "db", "drop")).toBe(true);
});

test("a glob agrees with the expression it stands for", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "_"), maxLength: 12 });
  const glob = fc.string({ unit: fc.constantFrom("a", "b", "_", "*"), maxLength: 8 });
  fc.assert(
    fc.property(glob, text, (glob, text) => {
      expect(matches(glob, text)).toBe(new RegExp(`^${glob.replaceAll("*", ".*")}$`).test(text));
    }),
  );
});
