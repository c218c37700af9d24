import { request } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { surfaceOf } from "../../src/engines/index.ts";
import type { EngineDialect } from "../../src/engines/index.ts";
import { continueWith, createSaidSoFar, prefilledText } from "../../src/gateway/continuation/index.ts";
import type { TinyGgufOptions } from "../fakes/tiny-gguf.ts";
import type { RealKind } from "./real-engines.ts";
import { DEMO_MODEL, LLAMA_SERVER, RealEngine } from "./real-engines.ts";

type Lane = Exclude<EngineDialect, "messages">;
type Body = Readonly<Record<string, unknown>>;

interface Heard {
  readonly text: string;
  readonly thought: string;
  readonly finish: string | undefined;
  readonly ids: readonly string[];
  readonly roles: number;
  readonly ends: number;
  readonly usage: unknown;
}

/** What a client makes of the events. */
function heard(wire: string): Heard {
  const ids = new Set<string>();
  const told = {
    text: "",
    thought: "",
    finish: undefined as string | undefined,
    roles: 0,
    ends: 0,
    usage: undefined as unknown,
  };
  for (const event of wire.split("\n\n")) {
    if (event === "data: [DONE]") told.ends++;
    if (!event.startsWith("data: {")) continue;
    // oxlint-disable-next-line typescript/no-explicit-any -- tests read deep into answers
    const chunk: any = JSON.parse(event.slice(6));
    ids.add(`${chunk.id} ${chunk.created} ${chunk.model}`);
    const choice = chunk.choices[0];
    told.thought += choice?.delta?.reasoning_content ?? "";
    told.text += choice?.delta?.content ?? choice?.text ?? "";
    if (choice?.delta?.role !== undefined) told.roles++;
    told.finish = choice?.finish_reason ?? told.finish;
    const { prompt_tokens, completion_tokens, total_tokens } = chunk.usage ?? {};
    if (total_tokens !== undefined) told.usage = { prompt_tokens, completion_tokens, total_tokens };
  }
  return { ...told, ids: [...ids] };
}

const PATHS = { chat: "/v1/chat/completions", completions: "/v1/completions" } as const;

async function post(url: string, body: string): Promise<string> {
  const options = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
    reset: true,
  } as const;
  const { statusCode, body: answer } = await request(url, options);
  const text = await answer.text();
  if (statusCode !== 200) throw new Error(`${statusCode}: ${text}`);
  return text;
}

async function events(engine: RealEngine, lane: Lane, body: Body): Promise<readonly string[]> {
  const wire = await post(engine.url + PATHS[lane], JSON.stringify({ ...body, stream: true }));
  return wire.split(/(?<=\n\n)/);
}

/** Tokens of a text in the middle of another: sentence-piece vocabularies put a space before the first of all. */
async function tokensOf(engine: RealEngine, text: string): Promise<number> {
  const { tokenize } = surfaceOf(engine.kind);
  if (tokenize === undefined) throw new Error(`${engine.kind} has no tokenizer`);
  const count = async (of: string): Promise<number> =>
    tokenize.count(await post(engine.url + tokenize.path, tokenize.body(of, "real"))) ?? -1;
  return (await count(`:${text}`)) - (await count(":"));
}

/** Cuts the answer of one engine behind every event and lets another go on; what each client heard, by the cut. */
async function cutEverywhere(
  first: RealEngine,
  next: RealEngine,
  lane: Lane,
  body: Body,
): Promise<{ readonly uncut: Heard; readonly cut: ReadonlyMap<number, Heard | string> }> {
  const asked = { model: "real", temperature: 0, stream_options: { include_usage: true }, ...body };
  const whole = await events(first, lane, asked);
  // The second an answer was made in may change within it: llama-server says it anew in each event.
  const uncut = heard(whole.join(""));
  const cut = new Map<number, Heard | string>();
  for (let at = 0; at < whole.length; at++) {
    const before = whole.slice(0, at);
    if (heard(before.join("")).finish !== undefined) break;
    const memory = createSaidSoFar(lane);
    for (const event of before) memory.see(Buffer.from(event));
    const said = memory.read();
    if (said === undefined) throw new Error("not understood");
    const surface = surfaceOf(next.kind);
    const prefilledTokens = await tokensOf(next, prefilledText(asked, lane, said, surface));
    const way = continueWith(asked, lane, said, surface, { prefilledTokens });
    if ("impossible" in way) {
      cut.set(at, way.impossible);
      continue;
    }
    let joined = "";
    for (const event of await events(next, lane, way.body)) {
      if (event.startsWith("data: ")) joined += way.joiner.event(event.trimEnd().slice(6));
    }
    cut.set(at, way.joiner.refused ?? heard(before.join("") + joined + way.joiner.end()));
  }
  return { uncut, cut };
}

const without = ({ ids: _ids, ...rest }: Heard): Omit<Heard, "ids"> => rest;

async function expectSame(first: RealEngine, next: RealEngine, lane: Lane, body: Body): Promise<Heard> {
  const { uncut, cut } = await cutEverywhere(first, next, lane, body);
  expect(cut.size).toBeGreaterThan(10);
  for (const [at, one] of cut) {
    if (typeof one === "string") throw new Error(`cut behind event ${at}: ${one}`);
    expect(without(one), `cut behind event ${at}`).toEqual(without(uncut));
    expect(new Set(one.ids.map((id) => id.split(" ")[0])).size, "ids").toBe(1);
  }
  return uncut;
}

/** Every byte once: a real model says them one by one, also the bytes within a character. */
const BYTES = [...Buffer.from("héllo 😀 日!")].filter((byte, i, all) => all.indexOf(byte) === i);
const MULTI_BYTE: TinyGgufOptions = { script: BYTES, embeddingLength: 320, layers: 1 };

/** ` ab`, ` b`, a new line, 😀 byte by byte, `:`: pieces with and without a leading space, each as the tokenizer would choose it. */
const PIECES: TinyGgufOptions = {
  tokenizer: "sentencepiece",
  pieces: ["\u2581a", "\u2581ab", "\u2581b"],
  script: [270, 271, 268, ...[...Buffer.from("😀")].map((byte) => 3 + byte), 267],
  embeddingLength: 320,
  layers: 1,
  chatTemplate:
    "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}[answer]{% endif %}",
};

/** Says `hm.`, ends its thinking (token 260), says `Ok!` and ends; its template opens the thinking. */
const THINKING: TinyGgufOptions = {
  controlTokens: ["<think>", "</think>"],
  script: [...Buffer.from("hm."), 260, ...Buffer.from("Ok!"), 258],
  embeddingLength: 320,
  layers: 1,
  chatTemplate: `{% for m in messages %}<|im_start|>{{ m.role }}
{% if m.role == 'assistant' and m.reasoning_content %}<think>
{{ m.reasoning_content }}
</think>

{% endif %}{{ m.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
<think>
{% endif %}`,
};

test.skipIf(LLAMA_SERVER === "")(
  "thinking goes on at llama-server, within it and behind it (needs llama-server on PATH or in OMNI_LLAMA_SERVER)",
  { timeout: 60_000 },
  async () => {
    const engine = await RealEngine.start("llama.cpp", THINKING);
    try {
      const { uncut, cut } = await cutEverywhere(engine, engine, "chat", {
        messages: [{ role: "user", content: "x" }],
      });
      expect(uncut).toMatchObject({ text: "Ok!", thought: "hm.", finish: "stop" });
      expect(cut.size).toBe(8);
      // Its own tags around the thinking are tokens of the prompt: usage differs by those.
      for (const [at, one] of cut)
        expect(one, `cut behind event ${at}`).toMatchObject({ text: "Ok!", thought: "hm.", finish: "stop" });
    } finally {
      await engine.stop();
    }
  },
);

const KINDS: readonly RealKind[] = LLAMA_SERVER === "" ? ["embedded"] : ["embedded", "llama.cpp"];
const QUESTION = { messages: [{ role: "user", content: "What is Omni?" }], max_tokens: 60 };

describe.each(KINDS)(
  "an answer of a real engine (%s), cut behind every event and continued, is the uncut one",
  (kind) => {
    const engines = new Map<string, RealEngine>();
    const engineOf = (name: string): RealEngine => {
      const engine = engines.get(name);
      if (engine === undefined) throw new Error(`no engine ${name}`);
      return engine;
    };
    beforeAll(async () => {
      const models = { demo: DEMO_MODEL, bytes: MULTI_BYTE, pieces: PIECES };
      await Promise.all(
        Object.entries(models).map(async ([name, model]) =>
          engines.set(name, await RealEngine.start(kind, model)),
        ),
      );
    }, 60_000);
    afterAll(() => Promise.all([...engines.values()].map((engine) => engine.stop())));

    test("chat", async () => {
      const uncut = await expectSame(engineOf("demo"), engineOf("demo"), "chat", QUESTION);
      expect(uncut).toMatchObject({ finish: "stop", roles: 1, ends: 1 });
      expect(uncut.text).toMatch(/^Omni is the sovereign AI node.*runs it\.$/);
    });

    test("chat that ends at its limit, with stop strings and a seed", async () => {
      const body = { ...QUESTION, max_tokens: 25, stop: ["never said"], seed: 7, tools: [] };
      expect((await expectSame(engineOf("demo"), engineOf("demo"), "chat", body)).finish).toBe("length");
    });

    test("completions", async () => {
      const prompt = "<|im_start|>user\nExplain quantization.<|im_end|>\n<|im_start|>assistant\n";
      const uncut = await expectSame(engineOf("demo"), engineOf("demo"), "completions", {
        prompt,
        max_tokens: 60,
      });
      expect(uncut.text).toMatch(/^Quantization stores/);
    });

    test.each(["chat", "completions"] as const)(
      "%s whose tokens are single bytes of characters",
      async (lane) => {
        const body = {
          prompt: "x",
          messages: [{ role: "user", content: "x" }],
          max_tokens: 3 * BYTES.length,
        };
        const uncut = await expectSame(engineOf("bytes"), engineOf("bytes"), lane, body);
        expect(uncut.text).toContain("😀");
        expect(uncut.text).not.toContain("\u{FFFD}");
      },
    );

    test.each(["chat", "completions"] as const)("%s of a sentence-piece vocabulary", async (lane) => {
      const body = { prompt: "x", messages: [{ role: "user", content: "x" }], max_tokens: 40 };
      const uncut = await expectSame(engineOf("pieces"), engineOf("pieces"), lane, body);
      expect(uncut.text).toContain(" ab b\n😀: ab");
    });
  },
);

test.skipIf(LLAMA_SERVER === "")(
  "an answer of llama-server goes on at the embedded engine, and the other way round (needs llama-server on PATH or in OMNI_LLAMA_SERVER)",
  { timeout: 60_000 },
  async () => {
    const engines = await Promise.all(
      (["embedded", "llama.cpp"] as const).map((kind) => RealEngine.start(kind, DEMO_MODEL)),
    );
    try {
      const [embedded, llama] = engines;
      if (embedded === undefined || llama === undefined) throw new Error("no engines");
      for (const [first, next] of [
        [embedded, llama],
        [llama, embedded],
      ] as const) {
        const { uncut, cut } = await cutEverywhere(first, next, "chat", QUESTION);
        expect(cut.size).toBeGreaterThan(30);
        for (const [at, one] of cut)
          expect(one, `cut behind event ${at}`).toMatchObject({ text: uncut.text, finish: "stop" });
      }
    } finally {
      await Promise.all(engines.map((engine) => engine.stop()));
    }
  },
);
