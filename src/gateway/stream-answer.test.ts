import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AttemptOwner } from "./answer.ts";
import { ClientSink } from "./client-sink.ts";
import { eventsIn } from "./continuation/event-data.ts";
import { SaidEvents } from "./continuation/said-events.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import type { Outlet } from "./outlet.ts";
import { Outflow } from "./outflow.ts";
import { StreamAnswer } from "./stream-answer.ts";
import type { Usage } from "./usage.ts";

type Lane = "chat" | "completions" | "messages";

interface Told {
  readonly sent: string;
  readonly refused: boolean;
  readonly end: "whole" | "cut";
  readonly usage: Usage | undefined;
}

/** A stream in these chunks through the gateway's own objects; only what stands around them is recorded. */
function streamed(lane: Lane, chunks: readonly Buffer[], usageIsOurs: boolean): Told & { outflow: Outflow } {
  const sent: Buffer[] = [];
  let refused = false;
  let end: Told["end"] = "cut";
  const write = (bytes: string | Buffer | undefined): boolean => {
    if (bytes !== undefined) sent.push(Buffer.from(bytes));
    return true;
  };
  const outlet = { headersSent: true, write, end: write } satisfies Partial<Outlet>;
  const outflow = new Outflow({
    lane,
    translator: undefined,
    usageIsOurs,
    laneBody: () => ({}),
    remembers: true,
    eventBytes: DEFAULT_LIMITS.eventBytes,
  });
  const owner: Partial<AttemptOwner> = {
    limits: DEFAULT_LIMITS,
    resumes: false,
    outflow: () => outflow,
    inflow: () => undefined,
    head: () => [],
    said: () => undefined,
    finished: () => void (end = "whole"),
    broken: () => undefined,
    cut: () => undefined,
  };
  const controller = { abort: () => void (refused = true), pause: () => undefined, resume: () => undefined };
  const sink = Object.assign(Object.create(ClientSink.prototype), {
    outlet,
    write,
    refuse: controller.abort,
  });
  const answer = new StreamAnswer(Object.assign(Object.create(null), owner), sink, {});
  for (const chunk of chunks) {
    // As a connection lends it: between other bytes, and overwritten behind the call.
    const lent = Buffer.concat([Buffer.from("data: "), chunk, Buffer.from("\n\n")]);
    if (!answer.lent(lent, 6, 6 + chunk.length)) answer.data(chunk);
    lent.fill(0);
  }
  if (refused) answer.broken({ kind: "garbage", message: "refused" });
  else answer.end();
  return { sent: Buffer.concat(sent).toString(), refused, end, usage: outflow.usage, outflow };
}

/** The same by parsing every event, as slowly as can be. */
function expected(lane: Lane, events: readonly string[], usageIsOurs: boolean): Told & { said: SaidEvents } {
  const said = new SaidEvents(lane);
  const told = { sent: "", refused: false, done: false };
  const most = { prompt: -1, completion: 0 };
  for (const event of events) {
    for (const { data } of eventsIn(event)) {
      const value = jsonOf(data);
      if (data !== "[DONE]" && (value === undefined || "error" in value || value["type"] === "error")) {
        told.refused = true;
      } else if (!told.refused) {
        said.add(data);
        const { usage } = value ?? {};
        if (typeof usage === "object" && usage !== null && "prompt_tokens" in usage) {
          most.prompt = Math.max(most.prompt, Number(usage.prompt_tokens));
          if ("completion_tokens" in usage) {
            most.completion = Math.max(most.completion, Number(usage.completion_tokens));
          }
        }
      }
    }
    if (told.refused) break;
    told.done ||= event.includes(lane === "messages" ? '"message_stop"' : "data: [DONE]\n");
    if (!usageIsOurs || !event.includes('"choices":[]')) told.sent += event;
  }
  const usage =
    most.prompt < 0 ? undefined : { promptTokens: most.prompt, completionTokens: most.completion };
  // A finish reason is enough where nothing comes behind it that is wrong.
  const whole = told.done || (!told.refused && lane !== "messages" && said.said.finished);
  return { sent: told.sent, refused: told.refused, end: whole ? "whole" : "cut", usage, said };
}

function jsonOf(data: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}

const lines = (value: object, name?: string): string =>
  `${name === undefined ? "" : `event: ${name}\n`}data: ${JSON.stringify(value)}\n\n`;

const HEAD = { id: "x-1", created: 7, model: "m" };
const choice = (said: object, more: object = {}): string =>
  lines({ ...HEAD, choices: [{ index: 0, ...said, finish_reason: null }], ...more });

function delta(lane: Lane, text: string): string {
  if (lane === "completions") return choice({ text });
  if (lane === "chat") return choice({ delta: { content: text } });
  return lines(
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text } },
    "content_block_delta",
  );
}

const text = fc.oneof(
  fc.constantFrom("word ", "a", " the", ' "quoted"', "\\", "\n\n", "Über", "😀", "data: [DONE]\n\n"),
  fc.constantFrom('"usage":{"prompt_tokens":9}', '"finish_reason":"stop"', " error", '{"error":1}', "usage"),
  fc.string({ minLength: 1, unit: "grapheme" }),
);

/** Stands for the number of events before: an engine counts upwards. */
const SO_FAR = 777_777;

/** Everything but the plain delta; most of it is as engines write it. */
const others = fc.oneof(
  text.map((t) => choice({ delta: { reasoning_content: t } })),
  text.map((t) => choice({ delta: { tool_calls: [{ index: 0, function: { arguments: t } }] } })),
  text.map((t) => choice({ delta: { content: t }, logprobs: { content: [] } })),
  text.map((t) => lines({ ...HEAD, choices: [{ index: 1, delta: { content: t }, text: t }] })),
  fc.constant(
    choice({ delta: { content: "n" } }, { usage: { prompt_tokens: 5, completion_tokens: SO_FAR } }),
  ),
  fc.nat(99).map((n) => choice({ delta: { content: "t" }, text: "t" }, { timings: { predicted_ms: n } })),
  text.map((t) => choice({ delta: { content: t } }, { usage: null })),
  text.map((t) =>
    choice({ delta: { content: t } })
      .replace("data: ", "data:")
      .replaceAll("\n", "\r\n"),
  ),
  text.map((t) => choice({ delta: { content: t } }).replace("data: ", "id: 4\ndata: ")),
  fc.constantFrom(
    lines({ ...HEAD, choices: [], usage: { prompt_tokens: 5, completion_tokens: SO_FAR } }),
    lines({ ...HEAD, choices: [{ index: 0, delta: {}, text: "", finish_reason: "stop" }] }),
    lines({ ...HEAD, choices: [{ index: 0, delta: { content: "" }, text: "", finish_reason: null }] }),
    lines({ type: "message_stop" }, "message_stop"),
    "data: [DONE]\n\n",
    'data: {"choices":[{"index":0,\ndata: "text":"two","delta":{"content":"lines"}}]}\n\n',
  ),
);
const broken = fc.constantFrom(
  'data: {"choices":[{"del\n\n',
  "data: Internal Server Error\n\n",
  lines({ error: { message: "out of memory" } }),
  lines({ type: "error", error: {} }, "error"),
);

const stream = (lane: Lane): fc.Arbitrary<string[]> =>
  fc
    .tuple(
      fc.array(
        fc.oneof({ weight: 8, arbitrary: text.map((t) => delta(lane, t)) }, { weight: 2, arbitrary: others }),
        {
          maxLength: 40,
        },
      ),
      fc.option(broken),
      fc.array(
        text.map((t) => delta(lane, t)),
        { maxLength: 3 },
      ),
    )
    .map(([events, bad, after]) =>
      (bad === null ? events : [...events, bad, ...after]).map((event, i) =>
        event.replace(String(SO_FAR), String(i)),
      ),
    );

/** The bytes in pieces: mostly an event each, else cut anywhere, within characters too. */
function pieces(events: readonly string[], whole: boolean, cuts: readonly number[]): Buffer[] {
  const bytes = Buffer.from(events.join(""));
  let at = 0;
  const ends = events.map((event) => (at += Buffer.byteLength(event)));
  const places = whole
    ? ends.filter((_, i) => cuts[i % Math.max(1, cuts.length)] !== 0)
    : cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b);
  return [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length));
}

describe.each<Lane>(["chat", "completions", "messages"])("a stream of %s passed through", (lane) => {
  test("is what parsing every event says of it, however it comes", () => {
    fc.assert(
      fc.property(
        stream(lane),
        fc.boolean(),
        fc.array(fc.nat(5000), { maxLength: 12 }),
        fc.boolean(),
        (events, whole, cuts, ours) => {
          const slow = expected(lane, events, ours);
          const { outflow, ...fast } = streamed(lane, pieces(events, whole, cuts), ours);
          const { said, ...told } = slow;
          expect(fast).toEqual(told);
          const read = outflow.said?.read();
          expect(read).toEqual(said.said);
        },
      ),
      { numRuns: 300 },
    );
  });
});
