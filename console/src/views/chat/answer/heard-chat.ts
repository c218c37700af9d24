import type { AnswerTurn, TokenUsage } from "../turn.ts";
import { broken, withCall, withText } from "./grow.ts";
import { listOf, numberIn, objectOf, parsedObject, textIn } from "./json.ts";

/** The answer after one event of `POST /v1/chat/completions`. */
export function heardChat(answer: AnswerTurn, data: string, now: number): AnswerTurn {
  if (data === "[DONE]") return ended(answer);
  const event = parsedObject(data);
  if (event["error"] !== undefined) return refused(answer, event["error"]);
  const usage = usageOf(event["usage"]);
  const choice = objectOf(listOf(event["choices"])[0]);
  const finish = textIn(choice["finish_reason"]);
  const grown = withDelta(answer, choice["delta"], now);
  return {
    ...grown,
    ...(usage === undefined ? {} : { usage }),
    ...(finish === "" ? {} : { finish }),
  };
}

/** The stream is over. Without a reason to finish, the answer was cut, however quietly. */
export function ended(answer: AnswerTurn): AnswerTurn {
  if (answer.state === "cut" || answer.state === "failed" || answer.state === "ended") return answer;
  if (answer.finish === undefined)
    return broken(answer, "incomplete", "The stream ended before the model did.");
  const { waiting: _, ...rest } = answer;
  return { ...rest, state: "ended" };
}

/** What an error event says; the answer is never a whole one after it. */
export function refused(answer: AnswerTurn, error: unknown): AnswerTurn {
  const { code, message } = objectOf(error);
  return broken(answer, textIn(code) || "error", textIn(message) || "The node sent an error without words.");
}

function withDelta(answer: AnswerTurn, sent: unknown, now: number): AnswerTurn {
  const delta = objectOf(sent);
  const thought = textIn(delta["reasoning_content"]) || textIn(delta["reasoning"]);
  let grown = withText(answer, "reasoning", thought, now);
  grown = withText(grown, "text", textIn(delta["content"]), now);
  for (const call of listOf(delta["tool_calls"])) grown = withCallDelta(grown, objectOf(call), now);
  return grown;
}

function withCallDelta(answer: AnswerTurn, sent: Readonly<Record<string, unknown>>, now: number): AnswerTurn {
  const id = `call ${numberIn(sent["index"]) ?? 0}`;
  const { name, arguments: text } = objectOf(sent["function"]);
  const before = answer.parts.find((part) => part.kind === "call" && part.call.id === id);
  const known = before?.kind === "call" ? before.call : { name: "", arguments: "" };
  return withCall(
    answer,
    { id, name: known.name + textIn(name), arguments: known.arguments + textIn(text), state: "called" },
    now,
  );
}

function usageOf(sent: unknown): TokenUsage | undefined {
  const usage = objectOf(sent);
  const prompt = numberIn(usage["prompt_tokens"]);
  const completion = numberIn(usage["completion_tokens"]);
  const cached = numberIn(objectOf(usage["prompt_tokens_details"])["cached_tokens"]);
  if (prompt === undefined && completion === undefined) return undefined;
  return {
    ...(prompt === undefined ? {} : { prompt }),
    ...(completion === undefined ? {} : { completion }),
    ...(cached === undefined ? {} : { cached }),
  };
}
