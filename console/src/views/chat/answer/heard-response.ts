import type { AnswerTurn, Call, TokenUsage } from "../turn.ts";
import { withCall, withText } from "./grow.ts";
import { ended, refused } from "./heard-chat.ts";
import { listOf, numberIn, objectOf, parsedObject, textIn } from "./json.ts";

/** The answer after one event of `POST /v1/responses`, in which tools run on the node. */
export function heardResponse(answer: AnswerTurn, data: string, now: number): AnswerTurn {
  const event = parsedObject(data);
  const type = textIn(event["type"]);
  if (type === "error" || (type === "" && event["error"] !== undefined))
    return refused(answer, event["error"] ?? event);
  switch (type) {
    case "response.output_text.delta":
      return withText(answer, "text", textIn(event["delta"]), now);
    case "response.reasoning_text.delta":
    case "response.reasoning_summary_text.delta":
      return withText(answer, "reasoning", textIn(event["delta"]), now);
    case "response.output_item.added":
    case "response.output_item.done":
      return withItem(answer, objectOf(event["item"]), now);
    case "response.completed":
    case "response.incomplete":
    case "response.failed":
      return withEnd(answer, objectOf(event["response"]));
    default:
      return answer;
  }
}

function withItem(answer: AnswerTurn, item: Readonly<Record<string, unknown>>, now: number): AnswerTurn {
  const call = callOf(item);
  // Between two calls or rounds the model speaks anew: its texts are not to run into each other.
  if (item["type"] === "message" && answer.parts.at(-1)?.kind === "text" && item["status"] === "in_progress")
    return withText(answer, "text", "\n\n", now);
  return call === undefined ? answer : withCall(answer, call, now);
}

function callOf(item: Readonly<Record<string, unknown>>): Call | undefined {
  const common = { id: textIn(item["id"]), name: textIn(item["name"]), arguments: textIn(item["arguments"]) };
  const server = textIn(item["server_label"]);
  switch (item["type"]) {
    case "function_call":
      return { ...common, state: "called" };
    case "mcp_approval_request":
      return { ...common, server, state: "asked" };
    case "mcp_call":
      return { ...common, server, ...resultOf(item) };
    default:
      return undefined;
  }
}

function resultOf(item: Readonly<Record<string, unknown>>): Pick<Call, "state" | "result"> {
  if (typeof item["output"] === "string") return { state: "returned", result: item["output"] };
  const { error } = item;
  if (error !== null && error !== undefined) return { state: "failed", result: errorText(error) };
  return item["status"] === "incomplete"
    ? { state: "failed", result: "It was not made." }
    : { state: "called" };
}

function errorText(error: unknown): string {
  if (typeof error === "string") return error;
  const content = listOf(objectOf(error)["content"]).map((part) => textIn(objectOf(part)["text"]));
  return content.join("\n") || textIn(objectOf(error)["message"]) || JSON.stringify(error);
}

function withEnd(answer: AnswerTurn, response: Readonly<Record<string, unknown>>): AnswerTurn {
  if (response["status"] === "failed") return refused(answer, response["error"]);
  const usage = usageOf(response["usage"]);
  const told = usage === undefined ? answer : { ...answer, usage };
  if (response["status"] !== "incomplete") return ended({ ...told, finish: "stop" });
  const { reason, message } = objectOf(response["incomplete_details"]);
  const finish = textIn(reason) || "incomplete";
  if (finish === "max_output_tokens") return ended({ ...told, finish: "length" });
  return refused(told, { code: finish, message: textIn(message) || `The answer was stopped: ${finish}.` });
}

function usageOf(sent: unknown): TokenUsage | undefined {
  const usage = objectOf(sent);
  const prompt = numberIn(usage["input_tokens"]);
  const completion = numberIn(usage["output_tokens"]);
  if (prompt === undefined || completion === undefined) return undefined;
  const cached = numberIn(objectOf(usage["input_tokens_details"])["cached_tokens"]);
  return { prompt, completion, ...(cached === undefined ? {} : { cached }) };
}
