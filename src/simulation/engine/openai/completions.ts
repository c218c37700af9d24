import type { ExpectedAnswer } from "../answer-text.ts";
import { restOfAnswer } from "../answer-text.ts";
import type { Engine } from "../engine.ts";
import type { Call } from "../http.ts";
import { StreamCut, beginEvents, cutOff, fieldsOfBody, sendEvent, sendJson, sendText } from "../http.ts";
import { CoreDead } from "../work.ts";
import type { CompletionRequest } from "./completion-request.ts";
import { readCompletionRequest } from "./completion-request.ts";
import type { OpenAiDialect } from "./dialect.ts";
import { refuse } from "./dialect.ts";

const NONSENSE = "<!doctype html><title>\u0000\u0007 0xDEADBEEF</title>";

/** `/v1/chat/completions` or `/v1/completions`, with the faults that meet a request. */
export function completions(
  engine: Engine,
  dialect: OpenAiDialect,
  chat: boolean,
): (call: Call) => Promise<void> {
  return async (call) => {
    const fields = await fieldsOfBody(call);
    if (typeof fields === "string")
      return refuse(call, dialect, dialect.badJson.status, fields, dialect.badJson.type);
    const ask = readCompletionRequest(fields, chat);
    if (typeof ask === "string") return refuse(call, dialect, 400, ask, "invalid_request_error");
    if (dialect.checksModel && ask.model !== undefined && ask.model !== engine.name)
      return refuse(call, dialect, 404, `The model \`${ask.model}\` does not exist.`, "NotFoundError");
    if (metAtOnce(engine, dialect, call)) return;
    const { contextTokens } = engine.settings;
    const maxTokens = ask.maxTokens === undefined || ask.maxTokens < 0 ? undefined : ask.maxTokens;
    const answer = restOfAnswer(ask.prompt, ask.begun, {
      ...(maxTokens === undefined ? {} : { maxTokens }),
      stop: ask.stop,
    });
    if (answer.promptTokens >= contextTokens) {
      const { message, type } = dialect.tooLong(answer.promptTokens, contextTokens);
      return refuse(call, dialect, 400, message, type);
    }
    await generate(engine, dialect, call, ask, withinContext(answer, contextTokens));
  };
}

/** Faults that answer in place of the engine. */
function metAtOnce(engine: Engine, dialect: OpenAiDialect, call: Call): boolean {
  if (engine.work.dead) {
    refuse(call, dialect, 500, dialect.deadMessage, "InternalServerError");
    return true;
  }
  if (engine.faults.take("garbage") !== undefined) {
    sendText(call, 200, NONSENSE, "text/html");
    return true;
  }
  if (engine.faults.find("wrong")?.text === "error" && engine.faults.take("wrong") !== undefined) {
    refuse(call, dialect, 500, "Internal server error: unexpected shape of logits", "InternalServerError");
    return true;
  }
  return false;
}

/** The answer that still has room in the context. */
function withinContext(answer: ExpectedAnswer, contextTokens: number): ExpectedAnswer {
  const room = contextTokens - answer.promptTokens;
  if (answer.tokens.length <= room) return answer;
  const tokens = answer.tokens.slice(0, room);
  return { ...answer, tokens, text: tokens.join(""), finishReason: "length" };
}

async function generate(
  engine: Engine,
  dialect: OpenAiDialect,
  call: Call,
  ask: CompletionRequest,
  answer: ExpectedAnswer,
): Promise<void> {
  const empty = engine.faults.take("wrong") !== undefined;
  const job = { promptTokens: answer.promptTokens, tokens: empty ? [] : answer.tokens };
  const told = { ...answer, tokens: job.tokens, text: job.tokens.join("") };
  try {
    if (ask.stream) await stream(engine, dialect, call, ask, told);
    else {
      await engine.work.run(job, call.signal, () => {});
      sendJson(call, 200, wholeAnswer(engine, dialect, ask, told));
    }
  } catch (error) {
    if (error instanceof StreamCut) return cutOff(call);
    if (!(error instanceof CoreDead) || call.response.headersSent) return void call.response.destroy();
    refuse(call, dialect, 500, dialect.deadMessage, "InternalServerError");
  }
}

async function stream(
  engine: Engine,
  dialect: OpenAiDialect,
  call: Call,
  ask: CompletionRequest,
  answer: ExpectedAnswer,
): Promise<void> {
  const head = { ...envelope(engine, dialect, ask, true) };
  const event = (choice: unknown): string => JSON.stringify({ ...head, choices: [choice] });
  const malformed = engine.faults.take("malformed")?.tokens;
  const cut = engine.faults.take("cut-stream")?.tokens;
  let sent = 0;
  let begun = false;
  const begin = async (): Promise<void> => {
    begun = true;
    beginEvents(call);
    if (ask.chat) await sendEvent(call, event({ index: 0, delta: dialect.firstDelta, finish_reason: null }));
  };
  await engine.work.run(answer, call.signal, async (token) => {
    if (!begun) await begin();
    if (sent === cut) throw new StreamCut();
    if (sent === malformed) await sendEvent(call, event({}).slice(0, -20));
    sent += 1;
    const piece = ask.chat ? { delta: { content: token } } : { text: token, logprobs: null };
    await sendEvent(call, event({ index: 0, ...piece, finish_reason: null }));
  });
  if (!begun) await begin();
  const last = ask.chat ? { delta: {} } : { text: "", logprobs: null };
  await sendEvent(call, event({ index: 0, ...last, finish_reason: answer.finishReason }));
  if (ask.includeUsage)
    await sendEvent(call, JSON.stringify({ ...head, choices: [], usage: usageOf(answer) }));
  await sendEvent(call, "[DONE]");
  call.response.end();
}

let number = 0;

function envelope(
  engine: Engine,
  { extra }: OpenAiDialect,
  { chat }: CompletionRequest,
  chunk: boolean,
): Readonly<Record<string, unknown>> {
  number += 1;
  const object = chat ? (chunk ? "chat.completion.chunk" : "chat.completion") : "text_completion";
  return {
    id: `${chat ? "chatcmpl" : "cmpl"}-${process.pid}-${number}`,
    object,
    created: Math.floor(Date.now() / 1000),
    model: engine.name,
    ...extra,
  };
}

function wholeAnswer(
  engine: Engine,
  dialect: OpenAiDialect,
  ask: CompletionRequest,
  answer: ExpectedAnswer,
): unknown {
  const content = ask.chat
    ? { message: { role: "assistant", content: answer.text } }
    : { text: answer.text, logprobs: null };
  return {
    ...envelope(engine, dialect, ask, false),
    choices: [{ index: 0, ...content, finish_reason: answer.finishReason }],
    usage: usageOf(answer),
  };
}

const usageOf = ({ promptTokens, tokens }: ExpectedAnswer): unknown => ({
  prompt_tokens: promptTokens,
  completion_tokens: tokens.length,
  total_tokens: promptTokens + tokens.length,
});
