import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");
const ROOMS = ["src/gateway", "src/keys", "src/dialects"];

/** Where an error of the wire is made: its code is the first text behind one of these. */
const MADE =
  /\b(?:badRequest|badPrevious|forbidden|fault|fileFault|new (?:FileRefused|MultipartError))\(\s*|\b(?:notFound|refuse)\(\s*call,\s*|\b(?:serverError|wire)\(\s*\d+,\s*|\bcode(?::| =)\s*/g;
/** Words in such a place that are none: types of Anthropic's and OpenAI's errors, ends of answers, members. */
const OTHERS = new Set(["previous_response_id"]);

/** The codes that the source can send: those behind each place until a template, a statement or another member begins. */
function codesOfSource(): Set<string> {
  const found = new Set<string>();
  for (const room of ROOMS)
    for (const file of readdirSync(join(ROOT, room), { recursive: true, encoding: "utf8" })) {
      if (!file.endsWith(".ts") || file.endsWith(".test.ts")) continue;
      const text = readFileSync(join(ROOT, room, file), "utf8");
      for (const place of text.matchAll(MADE)) {
        const rest = text.slice(place.index + place[0].length, place.index + place[0].length + 250);
        const until = /[`;{}]|,\s|message/.exec(rest)?.index ?? rest.length;
        for (const [, code = ""] of rest.slice(0, until).matchAll(/"([a-z]+(?:_[a-z]+)+)"/g)) found.add(code);
      }
    }
  const loop = readFileSync(join(ROOT, "src/gateway/tools/tool-loop.ts"), "utf8");
  for (const [, reason = ""] of loop.matchAll(/"(max_tool_[a-z]+)"/g)) found.add(reason);
  const troubles = readFileSync(join(ROOT, "src/gateway/images/image-errors.ts"), "utf8");
  const table = /const STATUS[^{]*\{([^}]*)\}/.exec(troubles)?.[1] ?? "";
  for (const [, trouble = ""] of table.matchAll(/(\w+):/g)) found.add(`workflow_${trouble}`);
  return new Set([...found].filter((code) => !OTHERS.has(code)));
}

const PAGE = readFileSync(join(ROOT, "docs/gateway.md"), "utf8");
const ROWS = PAGE.slice(PAGE.indexOf("## Error codes")).matchAll(/^\| `([a-z_]+)` \| ([^|]+) \|/gm);
const documented = [...ROWS].map(([, code = "", status = ""]) => ({ code, status: status.trim() }));

it("docs/gateway.md has every code that the gateway sends, and no other", () => {
  const source = codesOfSource();
  const codes = documented.map(({ code }) => code);
  // A scan that finds nothing would agree with anything.
  expect(source.size).toBeGreaterThan(70);
  expect(codes.filter((code) => !source.has(code))).toEqual([]);
  expect([...source].filter((code) => !codes.includes(code))).toEqual([]);
  expect(new Set(codes).size).toBe(codes.length);
});

it("says for each with which status it comes, or that it comes in a stream or a batch", () => {
  for (const { code, status } of documented)
    expect([code, status]).toEqual([code, expect.stringMatching(/^(?:[45]\d\d|stream|batch|the engine's)$/)]);
});
