/**
 * A scripted engine: a real process that answers chats and requests for responses round by round as it was told by
 * `PUT /script`, and tells at `GET /seen` what it was asked. Prints `listening PORT`; ends with its standard input.
 */
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import type { ScriptedRound } from "./scripted-round.ts";

let script: readonly ScriptedRound[] = [];
let seen: unknown[] = [];
let aborted = 0;

const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
const usageOfResponse = {
  input_tokens: 10,
  input_tokens_details: { cached_tokens: 2 },
  output_tokens: 5,
  output_tokens_details: { reasoning_tokens: 1 },
  total_tokens: 15,
};

function json(res: ServerResponse, status: number, value: unknown): void {
  res.writeHead(status, { "content-type": "application/json" });
  res.end(JSON.stringify(value));
}

const words = (text: string): string[] => text.match(/\S+\s*/g) ?? [];
const halves = (text: string): string[] => [text.slice(0, text.length / 2), text.slice(text.length / 2)];

function chatWhole(round: ScriptedRound): unknown {
  const calls = (round.calls ?? []).map((call, at) => ({
    id: call.id ?? `call_${at}`,
    type: "function",
    function: { name: call.name, arguments: call.arguments },
  }));
  return {
    id: "fake-1",
    object: "chat.completion",
    created: 1,
    model: "m",
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: round.text ?? null,
          ...(round.reasoning === undefined ? {} : { reasoning_content: round.reasoning }),
          ...(calls.length === 0 ? {} : { tool_calls: calls }),
        },
        finish_reason: round.finish ?? (calls.length > 0 ? "tool_calls" : "stop"),
      },
    ],
    usage,
  };
}

const chunk = (delta: unknown, finish: string | null = null): string =>
  JSON.stringify({
    id: "fake-1",
    object: "chat.completion.chunk",
    created: 1,
    model: "m",
    choices: [{ index: 0, delta, finish_reason: finish }],
  });

function chatEvents(round: ScriptedRound): string[] {
  const calls = (round.calls ?? []).flatMap((call, index) => {
    const { id = `call_${index}`, name } = call;
    const [first = "", second = ""] = halves(call.arguments);
    return [
      chunk({ tool_calls: [{ index, id, type: "function", function: { name, arguments: first } }] }),
      chunk({ tool_calls: [{ index, function: { arguments: second } }] }),
    ];
  });
  return [
    chunk({ role: "assistant", content: "" }),
    ...(round.reasoning === undefined ? [] : [chunk({ reasoning_content: round.reasoning })]),
    ...words(round.text ?? "").map((content) => chunk({ content })),
    ...calls,
    chunk({}, round.finish ?? (calls.length > 0 ? "tool_calls" : "stop")),
    JSON.stringify({
      id: "fake-1",
      object: "chat.completion.chunk",
      created: 1,
      model: "m",
      choices: [],
      usage,
    }),
    "[DONE]",
  ];
}

function responseItems(round: ScriptedRound): Record<string, unknown>[] {
  const content = [{ type: "output_text", text: round.text, annotations: [] }];
  return [
    ...(round.reasoning === undefined
      ? []
      : [{ id: "rs_0", type: "reasoning", summary: [{ type: "summary_text", text: round.reasoning }] }]),
    ...(round.text === undefined
      ? []
      : [{ id: "msg_0", type: "message", role: "assistant", status: "completed", content }]),
    ...(round.calls ?? []).map((call, at) => ({
      id: `fc_${at}`,
      type: "function_call",
      call_id: call.id ?? `call_${at}`,
      name: call.name,
      arguments: call.arguments,
      status: "completed",
    })),
  ];
}

function responseWhole(round: ScriptedRound): Record<string, unknown> {
  const short = round.finish === "length";
  return {
    id: "resp_fake",
    object: "response",
    created_at: 1,
    status: short ? "incomplete" : "completed",
    incomplete_details: short ? { reason: "max_output_tokens" } : null,
    model: "m",
    output: responseItems(round),
    usage: usageOfResponse,
  };
}

function responseEvents(round: ScriptedRound): string[] {
  let sequence = 0;
  const event = (type: string, members: object): string =>
    JSON.stringify({ type, sequence_number: sequence++, ...members });
  const whole = responseWhole(round);
  const open = { ...whole, status: "in_progress", output: [], usage: null };
  const items = responseItems(round).flatMap((item, output_index) => {
    const at = { output_index, item_id: item["id"] };
    const begun = event("response.output_item.added", {
      output_index,
      item: item["type"] === "function_call" ? { ...item, arguments: "" } : { ...item, content: [] },
    });
    const done = event("response.output_item.done", { output_index, item });
    if (item["type"] === "message") {
      const deltas = words(round.text ?? "").map((delta) =>
        event("response.output_text.delta", { ...at, content_index: 0, delta }),
      );
      const part = { type: "output_text", text: "", annotations: [] };
      const open = event("response.content_part.added", { ...at, content_index: 0, part });
      const end = event("response.output_text.done", { ...at, content_index: 0, text: round.text });
      const whole = { ...part, text: round.text };
      const closed = event("response.content_part.done", { ...at, content_index: 0, part: whole });
      return [begun, open, ...deltas, end, closed, done];
    }
    if (item["type"] !== "function_call") return [begun, done];
    const text = String(item["arguments"]);
    const deltas = halves(text).map((delta) =>
      event("response.function_call_arguments.delta", { ...at, delta }),
    );
    return [
      begun,
      ...deltas,
      event("response.function_call_arguments.done", { ...at, arguments: text }),
      done,
    ];
  });
  return [
    event("response.created", { response: open }),
    event("response.in_progress", { response: open }),
    ...items,
    event(`response.${String(whole["status"])}`, { response: whole }),
  ];
}

async function answer(req: IncomingMessage, res: ServerResponse, body: string): Promise<void> {
  const ask: { stream?: unknown } = JSON.parse(body);
  seen.push(ask);
  res.once("close", () => {
    if (!res.writableFinished) aborted++;
  });
  const round = script[Math.min(seen.length, script.length) - 1] ?? { text: "nothing to say" };
  if (round.delay !== undefined) await sleep(round.delay);
  if (round.status !== undefined) {
    json(res, round.status, { error: { message: "told to fail", type: "server_error", code: "told" } });
    return;
  }
  const chat = req.url === "/v1/chat/completions";
  if (ask.stream !== true) return json(res, 200, chat ? chatWhole(round) : responseWhole(round));
  const events = chat ? chatEvents(round) : responseEvents(round);
  res.writeHead(200, { "content-type": "text/event-stream" });
  for (const data of events.slice(0, round.cutAfter)) {
    if (res.destroyed) return;
    res.write(`data: ${data}\n\n`);
    if (round.gap !== undefined) await sleep(round.gap);
  }
  if (round.cutAfter !== undefined && chat) {
    res.write(`data: ${JSON.stringify({ error: { message: "it broke", code: "upstream_broken" } })}\n\n`);
  }
  res.end();
}

async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(Buffer.from(chunk));
  const body = Buffer.concat(chunks).toString();
  if (req.url === "/seen") json(res, 200, { seen, aborted });
  else if (req.url === "/script") {
    script = JSON.parse(body);
    seen = [];
    aborted = 0;
    json(res, 200, {});
  } else if (req.method === "GET") json(res, 200, { object: "list", data: [{ id: "m", object: "model" }] });
  else await answer(req, res, body);
}

const server = createServer((req, res) => {
  serve(req, res).catch(() => res.destroy());
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  process.stdout.write(`listening ${port}\n`);
});
process.stdin.on("end", () => process.exit(0)).on("error", () => process.exit(0));
process.stdin.resume();
