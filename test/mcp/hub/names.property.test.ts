import fc from "fast-check";
import { expect, test } from "vitest";
import { clientNames } from "../../../src/mcp/hub/tool-entry.ts";
import { schemeOf, splitAddress } from "../../../src/mcp/hub/addresses.ts";
import { asker, context, hubOf, member } from "../../fakes/hub-under-test.ts";
import { ScriptedProvider, tool } from "../../fakes/mcp-provider.ts";
import type { Caller } from "../../../src/keys/index.ts";
import type { ServerPolicy } from "../../../src/mcp/policy/server-policy.ts";

const server = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
const ownName = fc.oneof(
  fc.stringMatching(/^[a-z_]{1,8}$/),
  fc.string({ minLength: 1, maxLength: 90, unit: "grapheme" }),
  fc.constantFrom("a__b", "__", "_", "b__c", "a.b", "a b", "a_b", "A_b"),
  fc.stringMatching(/^x{50,80}[ab]$/),
);

test("no two tools of any servers share a name, and every name is one for every client", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(server, { minLength: 2, maxLength: 6 }),
      fc.uniqueArray(ownName, { minLength: 1, maxLength: 40 }),
      (servers, tools) => {
        const seen = new Set<string>();
        for (const one of servers) {
          const names = clientNames(one, tools, true);
          expect(names.size).toBe(tools.length);
          for (const name of names.values()) {
            expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
            expect(name.startsWith(`${one}__`)).toBe(true);
            expect(seen.has(name)).toBe(false);
            seen.add(name);
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("thirty thousand random tools of long names have as many names", () => {
  const names = Array.from({ length: 10_000 }, (_, n) => `${"long tool ".repeat(9)}${n * 7919}`);
  const all = ["a", "a-b", "b".repeat(63)].flatMap((one) => [...clientNames(one, names, true).values()]);
  expect(new Set(all).size).toBe(30_000);
});

test("a name stays the same whatever other tools there are", () => {
  fc.assert(
    fc.property(server, fc.uniqueArray(ownName, { minLength: 1, maxLength: 20 }), (one, tools) => {
      const all = clientNames(one, tools, true);
      const isPlain = (name: string): boolean => all.get(name) === `${one}__${name}`;
      for (const name of tools) {
        const alone = clientNames(one, [name], true).get(name);
        // Only a tool that is called like the hashed name of another one could move that.
        const isMoved = !isPlain(name) && tools.some((other) => `${one}__${other}` === alone);
        expect(isMoved || alone === all.get(name)).toBe(true);
      }
    }),
  );
});

test("an address says which server it is of, and gives the server's own back", () => {
  fc.assert(
    fc.property(fc.uniqueArray(server, { minLength: 2, maxLength: 5 }), fc.string(), (servers, own) => {
      const schemes = servers.map(schemeOf);
      expect(new Set(schemes).size).toBe(servers.length);
      for (const scheme of schemes) {
        expect(scheme).toMatch(/^[a-z][a-z0-9.-]*\+$/);
        expect(splitAddress(scheme + own)).toEqual({ scheme, own });
      }
    }),
  );
});

const globs = fc.array(fc.constantFrom("*", "read*", "*_a", "read_a", "write_b", "x"), { maxLength: 3 });
const scopes = fc.array(
  fc.constantFrom("*", "one", "two", "one__*", "two__read*", "*__write_b", "on*", "one__read_a", "x"),
  { maxLength: 3 },
);

test("what is listed can be called, and what is not listed is unknown", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({ allow: fc.option(globs), deny: fc.option(globs), enabled: fc.boolean() }),
      fc.record({ tools: fc.option(scopes), readOnly: fc.boolean() }),
      async ({ allow, deny, enabled }, { tools, readOnly }) => {
        const own = [
          tool("read_a", { annotations: { readOnlyHint: true } }),
          tool("read_b"),
          tool("write_b", { annotations: { destructiveHint: false } }),
        ];
        const settings: Partial<ServerPolicy> = {
          enabled,
          ...(allow === null ? {} : { allow }),
          ...(deny === null ? {} : { deny }),
        };
        const rights: Partial<Caller> = { ...(tools === null ? {} : { tools }), mcp: { readOnly } };
        const who = asker(rights);
        const { hub } = hubOf([
          member("one", new ScriptedProvider({ tools: own }), settings),
          member("two", new ScriptedProvider({ tools: own })),
        ]);
        const listed = new Set((await hub.tools(who, new AbortController().signal)).map(({ name }) => name));
        for (const name of ["one", "two"].flatMap((one) => own.map((each) => `${one}__${each.name}`))) {
          const outcome = await hub.callTool(name, {}, who, context()).then(
            () => "called",
            (error: unknown) => (error instanceof Error ? error.message : "?"),
          );
          expect(outcome).toBe(listed.has(name) ? "called" : `Unknown tool: ${name}`);
        }
        await hub.close();
      },
    ),
    { numRuns: 150 },
  );
});
