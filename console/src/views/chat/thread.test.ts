import { expect, it } from "vitest";
import { chatAsJson, chatAsMarkdown } from "./export-chat.ts";
import { waitsForDecision, withAnswer, withDecision, withEdited, withoutAnswer } from "./thread.ts";
import type { Lane } from "./thread.ts";
import { emptyAnswer } from "./turn.ts";
import type { AnswerTurn, UserTurn } from "./turn.ts";

const user = (id: string, text = id): UserTurn => ({ id, role: "user", text, images: [] });
const answer = (id: string, parts: AnswerTurn["parts"] = []): AnswerTurn => ({
  ...emptyAnswer(id, "main", 0),
  state: "ended",
  parts,
});
const lane = (...turns: Lane["turns"]): Lane => ({ id: "a", model: "main", turns });

it("an edit forgets what followed, another answer only the last one", () => {
  const all = lane(user("u1"), answer("a1"), user("u2"), answer("a2"));
  expect(withEdited(all, 0, user("u3")).turns).toEqual([user("u3")]);
  expect(withoutAnswer(all).turns.map(({ id }) => id)).toEqual(["u1", "a1", "u2"]);
});

it("an answer that is no longer there changes nothing", () => {
  const all = lane(user("u1"));
  expect(withAnswer(all, answer("gone"))).toBe(all);
});

it("a decision holds for its call alone", () => {
  const asked = (id: string): AnswerTurn["parts"][number] => ({
    kind: "call",
    call: { id, server: "files", name: "write", arguments: "{}", state: "asked" },
  });
  const decided = withDecision(lane(answer("a1", [asked("c1"), asked("c2")])), "c1", true);
  expect(waitsForDecision(decided)).toBe(true);
  expect(waitsForDecision(withDecision(decided, "c2", false))).toBe(false);
});

it("is exported with calls, marks and how it ended, fenced so that nothing breaks out", () => {
  const cut: AnswerTurn = {
    ...answer("a1", [
      { kind: "text", text: "Half" },
      {
        kind: "call",
        call: {
          id: "c",
          server: "files",
          name: "read",
          arguments: "{}",
          state: "returned",
          result: "```\nx",
        },
      },
    ]),
    state: "cut",
    error: { code: "upstream_cut", message: "It broke." },
    continued: [{ part: 0, at: 2, service: "oracle-2" }],
  };
  const text = chatAsMarkdown([lane(user("u1", "Hi"), cut)], "Be short.");
  expect(text).toContain("> Be short.");
  expect(text).toContain("````\n```\nx\n````");
  expect(text).toContain("*Continued by oracle-2.*");
  expect(text).toContain("*cut: It broke.*");
  expect(JSON.parse(chatAsJson([lane(user("u1"))], {}))).toMatchObject({ lanes: [{ model: "main" }] });
});
