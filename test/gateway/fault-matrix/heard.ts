import { z } from "zod";

import type { Answer, Dialect } from "./client.ts";

/** What a client of a dialect makes of an answer. */
export interface Heard {
  text: string;
  /** Every id, model and index under which something was said. */
  readonly ids: Set<string>;
  readonly finishes: string[];
  /** Prompt and answer, as they were told; several tellings that differ are several. */
  readonly usages: Set<string>;
  /** Signs of a good end: `[DONE]`, `message_stop`, `response.completed`. */
  ends: number;
  /** Code or type and message of errors told. */
  readonly errors: { readonly kind: string; readonly message: string }[];
  readonly comments: string[];
  /** What breaks the rules of the dialect. */
  readonly wrong: string[];
}

const text = z.string().nullish();
const tokens = z.looseObject({
  prompt_tokens: z.number().optional(),
  completion_tokens: z.number().optional(),
  input_tokens: z.number().optional(),
  output_tokens: z.number().optional(),
});
const code = z.union([z.string(), z.number()]).nullish();
const error = z.looseObject({ code, type: text, message: z.string() });
const item = z.looseObject({ content: z.array(z.looseObject({ text })).optional() });
const response = z.looseObject({
  id: z.string(),
  status: text,
  output: z.array(item),
  usage: tokens.nullish(),
});
const event = z.looseObject({
  id: text,
  model: text,
  type: text,
  choices: z
    .array(
      z.looseObject({
        index: z.number().optional(),
        delta: z.looseObject({ content: text, role: text }).optional(),
        message: z.looseObject({ content: text }).optional(),
        text,
        finish_reason: text,
      }),
    )
    .optional(),
  usage: tokens.nullish(),
  error: error.nullish(),
  code,
  message: z.unknown().optional(),
  delta: z.unknown().optional(),
  content: z.array(z.looseObject({ text })).optional(),
  stop_reason: text,
  sequence_number: z.number().optional(),
  response: z.unknown().optional(),
  output: z.unknown().optional(),
});
type Event = z.infer<typeof event>;

const silence = (): Heard => ({
  text: "",
  ids: new Set(),
  finishes: [],
  usages: new Set(),
  ends: 0,
  errors: [],
  comments: [],
  wrong: [],
});

/** Reads an answer as a careful client of the dialect would. */
export function heard(dialect: Dialect, { text: wire, headers, status }: Answer): Heard {
  const told = silence();
  if (!String(headers["content-type"]).startsWith("text/event-stream")) {
    const body = event.parse(JSON.parse(wire));
    if (status !== 200) addError(told, body);
    else hear(dialect, told, body);
    return told;
  }
  let number = 0;
  for (const block of wire.split(/\r?\n\r?\n/)) {
    const lines = block.split(/\r?\n/);
    told.comments.push(...lines.filter((line) => line.startsWith(":")));
    const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim());
    if (data.length === 0) continue;
    if (told.ends > 0) told.wrong.push(`behind the end: ${block}`);
    if (data[0] === "[DONE]") {
      told.ends++;
      continue;
    }
    const one = event.parse(JSON.parse(data.join("\n")));
    if (dialect === "responses" && one.sequence_number !== number++)
      told.wrong.push(`event ${number - 1} has the number ${one.sequence_number}`);
    if (one.error !== undefined && one.error !== null) addError(told, one);
    else hear(dialect, told, one);
  }
  if (!/^$|\n\r?\n$/.test(wire)) told.wrong.push("it ends within an event");
  return told;
}

function addError(told: Heard, { error: nested, code, type, message }: Event): void {
  const kind = nested?.code ?? nested?.type ?? code ?? type;
  told.errors.push({ kind: String(kind), message: nested?.message ?? String(message) });
}

function hear(dialect: Dialect, told: Heard, one: Event): void {
  if (dialect === "messages") hearMessage(told, one);
  else if (dialect === "responses") hearResponse(told, one);
  else hearChunk(told, one);
}

function addUsage(told: Heard, usage: z.infer<typeof tokens> | null | undefined): void {
  if (usage === undefined || usage === null) return;
  const prompt = usage.prompt_tokens ?? usage.input_tokens;
  told.usages.add(`${prompt} ${usage.completion_tokens ?? usage.output_tokens}`);
}

function hearChunk(told: Heard, { id, model, choices = [], usage }: Event): void {
  told.ids.add(`${id} ${model}`);
  for (const { delta, message, text: said, finish_reason: finish } of choices) {
    told.text += delta?.content ?? message?.content ?? said ?? "";
    if (finish !== undefined && finish !== null) told.finishes.push(finish);
  }
  addUsage(told, usage);
}

const message = z.looseObject({ id: z.string(), model: z.string(), usage: tokens });
const messageDelta = z.looseObject({ text, stop_reason: text });

function hearMessage(told: Heard, one: Event): void {
  switch (one.type) {
    case "message":
      told.ids.add(`${one.id} ${one.model}`);
      told.text += (one.content ?? []).map((block) => block.text ?? "").join("");
      told.finishes.push(String(one.stop_reason));
      addUsage(told, one.usage);
      break;
    case "message_start": {
      const begun = message.parse(one["message"]);
      told.ids.add(`${begun.id} ${begun.model}`);
      break;
    }
    case "content_block_delta":
      told.text += messageDelta.parse(one.delta).text ?? "";
      break;
    case "message_delta":
      told.finishes.push(String(messageDelta.parse(one.delta).stop_reason));
      addUsage(told, one.usage);
      break;
    case "message_stop":
      told.ends++;
      break;
    case "error":
      addError(told, one);
      break;
    default:
  }
}

function hearResponse(told: Heard, one: Event): void {
  switch (one.type) {
    case "response.output_text.delta":
      told.text += String(one.delta);
      break;
    case "response.completed":
    case "response.incomplete": {
      const whole = response.parse(one.response);
      addResponse(told, whole);
      if (textOf(whole) !== told.text) told.wrong.push("the whole response holds another text");
      told.ends++;
      break;
    }
    case "response.failed":
      told.ids.add(response.parse(one.response).id);
      break;
    case "response.created":
    case "response.in_progress":
      told.ids.add(response.parse(one.response).id);
      break;
    case "error":
      addError(told, one);
      break;
    case undefined:
    case null: {
      const whole = response.parse(one);
      addResponse(told, whole);
      told.text = textOf(whole);
      break;
    }
    default:
  }
}

function addResponse(told: Heard, { id, status, usage }: z.infer<typeof response>): void {
  told.ids.add(id);
  told.finishes.push(String(status));
  addUsage(told, usage);
}

const textOf = ({ output }: z.infer<typeof response>): string =>
  output.flatMap(({ content = [] }) => content.map((part) => part.text ?? "")).join("");
