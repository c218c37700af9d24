import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OPERATIONS } from "../../src/api/contract/index.ts";
import { planEndpoints } from "../../src/api/endpoints/index.ts";
import type { PlanDesk } from "../../src/api/endpoints/index.ts";
import { ROOT, startNode, temporaryFolder } from "../e2e/run-node.ts";
import type { RunningNode } from "../e2e/run-node.ts";
import { startEndpoints } from "../fakes/endpoint-server.ts";
import { strictShape } from "./strict-shape.ts";

const { answer: RUNNING } = OPERATIONS["GET /api/plan"];
const { answer: TRIED } = OPERATIONS["POST /api/plan/try"];

interface Told {
  readonly status: number;
  readonly body: unknown;
}

async function attempt(url: string, body: unknown): Promise<Told> {
  const answer = await fetch(`${url}/api/plan/try`, {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const told: unknown = await answer.json();
  return { status: answer.status, body: told };
}

async function tried(url: string, body: unknown) {
  const told = await attempt(url, body);
  expect(told.status).toBe(200);
  expect(strictShape(TRIED)(told.body)).toEqual([]);
  return TRIED.parse(told.body);
}

async function running(url: string) {
  const body: unknown = await (await fetch(`${url}/api/plan`)).json();
  expect(strictShape(RUNNING)(body)).toEqual([]);
  return RUNNING.parse(body);
}

const setting = (path: string, value: unknown) => ({ changes: [{ path, value }] });

describe("a node of its own spec", () => {
  const folder = temporaryFolder();
  const spec = join(folder.path, "omni.yaml");
  const secret = `sk-${"a1B2".repeat(8)}`;
  const text = `omni: 1
# Made with ${secret}, which is no more.
models:
  chat: builtin:omni-demo # the demo
services:
  chat: { model: chat, context: 1024, parallel: 2 } # small
`;
  let node: RunningNode;
  beforeAll(async () => {
    writeFileSync(spec, text);
    writeFileSync(join(folder.path, "passwords.gguf"), "root:hidden-word");
    mkdirSync(join(folder.path, "state"));
    node = await startNode([spec], join(folder.path, "state"));
  });
  afterAll(async () => {
    await node.interrupt();
    folder.remove();
  });

  it("shows its plan with the text as its owner wrote it, without what is a secret by its form", async () => {
    const { origin, text: shown, plan } = await running(node.url);
    expect(origin).toBe(spec);
    expect(shown).toBe(text.replace(secret, "(a secret)"));
    expect(plan.services).toMatchObject([{ name: "chat", contextTokens: 1024, parallel: 2 }]);
  });

  it("tells what a change comes to, and stays as it is", async () => {
    const before = await running(node.url);
    const { text: after, plan, differences } = await tried(node.url, setting("services.chat.context", 512));
    expect(after).toBe(text.replace(secret, "(a secret)").replace("context: 1024", "context: 512"));
    expect(plan?.services).toMatchObject([{ contextTokens: 512 }]);
    expect(differences).toContain("~ services.chat.context  1024 → 512");
    expect((await tried(node.url, {})).differences).toEqual([]);
    expect(await running(node.url)).toEqual(before);
    expect(readFileSync(spec, "utf8")).toBe(text);
  });

  it("takes a whole text, adds and takes out", async () => {
    const whole = await tried(node.url, { text: "omni: 1\nmodels: { other: builtin:omni-demo }\n" });
    expect(whole.differences).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^\+ services\.other/),
        expect.stringMatching(/^- services\.chat/),
      ]),
    );
    const changes = [
      { path: "services.more", value: { model: "chat", context: 512 } },
      { path: "services.chat", value: null },
    ];
    expect((await tried(node.url, { changes })).plan?.services).toMatchObject([{ name: "more" }]);
  });

  it("says where a spec is wrong, and plans nothing then", async () => {
    const wrong = await tried(node.url, setting("services.chat.contxt", 5));
    expect(wrong.plan).toBeUndefined();
    expect(wrong.diagnostics).toMatchObject([
      { code: "spec.unknown-key", line: 6, path: "services.chat.contxt", hint: expect.any(String) },
    ]);
    const bombs = [
      `a: &a [x]\n${Array.from({ length: 5000 }, () => "b: *a\n").join("")}`,
      `a: ${"[".repeat(200_000)}`,
      "omni: 1\n\tmodels: {}",
      "omni: 1\n---\nomni: 1\n",
      "",
    ];
    for (const bomb of bombs) {
      const { plan, diagnostics } = await tried(node.url, { text: bomb });
      expect(plan).toBeUndefined();
      expect(diagnostics.some(({ severity }) => severity === "error")).toBe(true);
    }
    for (const path of ["__proto__.polluted", "constructor.prototype.polluted", "services.__proto__.model"])
      expect((await tried(node.url, setting(path, true))).plan).toBeUndefined();
    expect((await tried(node.url, setting("services.chat.context.deep", 1))).diagnostics).toMatchObject([
      { code: "spec.no-place" },
    ]);
  });

  it("opens no file that its own spec does not name, and does not tell whether it is there", async () => {
    const messages = await Promise.all(
      ["passwords.gguf", "not-there.gguf"].map(async (file) => {
        const path = join(folder.path, file);
        for (;;) {
          const told = await attempt(node.url, setting("models.chat", { source: { file: path } }));
          if (told.status !== 429) return JSON.stringify(told.body).replaceAll(file, "FILE");
        }
      }),
    );
    expect(messages[0]).toContain("none of those that may be opened here");
    expect(messages[0]).not.toContain("hidden-word");
    expect(messages[1]).toBe(messages[0]);
  });

  it("refuses bodies that are none of a trial", async () => {
    const bad = (code: string, status = 400) => ({
      status,
      body: { error: expect.objectContaining({ code }) },
    });
    for (const body of [
      "{",
      "[]",
      "null",
      { text: 5 },
      { changes: {} },
      { changes: [{ value: 1 }] },
      { changes: [{ path: "" }] },
      { changes: [{ path: "a", value: 1, more: 1 }] },
      { changes: Array.from({ length: 101 }, () => ({ path: "a", value: 1 })) },
      { other: 1 },
      `{"changes":[{"path":"x-deep","value":${"[".repeat(5000)}${"]".repeat(5000)}}]}`,
    ])
      expect(await attempt(node.url, body)).toEqual(bad("invalid_body"));
    const huge = await attempt(node.url, `"${"x".repeat(3_000_000)}"`);
    expect(huge).toEqual(bad("body_too_large", 413));
  });
});

it("the largest reference system is planned in a thread while the node answers others", async () => {
  const folder = temporaryFolder();
  const file = join(ROOT, "examples/leviathan.fixed.yaml");
  const node = await startNode([file, "--simulate"], folder.path);
  try {
    const { plan, text } = await running(node.url);
    expect(text).toBe(readFileSync(file, "utf8"));
    const [service] = plan.services.toSorted((one, other) => other.contextTokens - one.contextTokens);
    const { name = "", contextTokens = 0 } = service ?? {};
    const trial = tried(node.url, setting(`services.${name}.context`, contextTokens / 2));
    // The thread has to start and to read twenty models; whoever asks meanwhile is answered first.
    const first = await Promise.race([trial, fetch(`${node.url}/healthz`)]);
    expect(first).toBeInstanceOf(Response);
    const { differences, diagnostics } = await trial;
    expect(diagnostics.filter(({ code }) => code.startsWith("spec."))).toEqual(
      plan.diagnostics.filter(({ code }) => code.startsWith("spec.")),
    );
    expect(differences).toContain(`~ services.${name}.context  ${contextTokens} → ${contextTokens / 2}`);
    expect((await tried(node.url, {})).differences).toEqual([]);
  } finally {
    await node.interrupt();
    folder.remove();
  }
});

it("one trial at a time: whoever comes in between is asked to come again", async () => {
  const held = Promise.withResolvers<never>();
  const begun = Promise.withResolvers<undefined>();
  const desk: PlanDesk = {
    running: () => {
      throw new Error("nobody asks");
    },
    attempt: () => {
      begun.resolve(undefined);
      return held.promise;
    },
  };
  await using server = await startEndpoints(planEndpoints(desk));
  const first = attempt(server.url, {});
  await begun.promise;
  expect(await attempt(server.url, {})).toMatchObject({
    status: 429,
    body: { error: { code: "plan_busy" } },
  });
  held.reject(new Error("the thread is gone"));
  expect((await first).status).toBe(500);
});
