import { expect, it } from "vitest";
import { newKey } from "../../../../src/api/contract/key-schema.ts";
import { emptyDraft, newKeyOf } from "./key-draft.ts";
import type { KeyDraft } from "./key-draft.ts";

const NOW = Date.UTC(2026, 10, 22, 12);
const draft = (more: Partial<KeyDraft>): KeyDraft => ({ ...emptyDraft(false), name: "laptop", ...more });
const limits = emptyDraft(false).limits;

it("asks for what was typed and for nothing else", () => {
  expect(newKeyOf(draft({ name: " laptop " }), NOW)).toEqual({
    key: { name: "laptop", admin: false, upstream: false, priority: 5 },
  });
});

it("asks for every limit in a form that the contract takes", () => {
  const asked = newKeyOf(
    draft({
      admin: true,
      upstream: true,
      content: true,
      priority: "9",
      routes: ["oracle"],
      tools: "files, git__read_*",
      readOnlyTools: true,
      limits: { ...limits, tokensPerDay: "50 000", concurrent: "4", callsPerMinute: "60" },
      ends: "30",
    }),
    NOW,
  );
  const key = {
    name: "laptop",
    admin: true,
    upstream: true,
    priority: 9,
    routes: ["oracle"],
    tools: ["files", "git__read_*"],
    mcp: { readOnly: true, callsPerMinute: 60 },
    limits: { tokensPerDay: 50_000, concurrent: 4 },
    content: true,
    expires: NOW + 30 * 86_400_000,
  };
  expect(asked).toEqual({ key });
  expect(newKey.parse(key)).toMatchObject(key);
});

it("names each field that is wrong", () => {
  const wrong = draft({
    name: "-x",
    limits: { ...limits, tokensPerDay: "many", callsPerMinute: "0" },
    ends: "on",
    endDay: "2020-01-31",
  });
  expect(newKeyOf(wrong, NOW)).toEqual({
    errors: {
      name: expect.any(String),
      "limits.tokensPerDay": expect.any(String),
      "mcp.callsPerMinute": expect.any(String),
      expires: "A day that is still to come.",
    },
  });
  expect(newKeyOf(draft({ ends: "on", endDay: "" }), NOW)).toHaveProperty("errors.expires");
});

it("takes a day to its end", () => {
  expect(newKeyOf(draft({ ends: "on", endDay: "2027-01-31" }), NOW)).toHaveProperty(
    "key.expires",
    new Date("2027-01-31T23:59:59").getTime(),
  );
});
