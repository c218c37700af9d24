import { requireShallow } from "../depth.ts";
import type { JsonObject } from "../dialect.ts";
import {
  isList,
  optionalFlag,
  optionalNumber,
  optionalObject,
  optionalText,
  present,
  requireList,
  requireObject,
  requireText,
} from "../fields.ts";
import { DialectError } from "../translation.ts";
import { messageTools } from "./message-tools.ts";
import { messageTurns } from "./message-turns.ts";

/** Anthropic's dialect requires a limit; this one every model since Claude 3.5 takes. */
const DEFAULT_MAX_TOKENS = 8192;

/**
 * A chat request as a messages request. Members for which Anthropic's dialect has no word and that only shape sampling
 * (`seed`, penalties, `logit_bias`) are left out; throws `DialectError` for those that the answer would lack.
 */
export function chatToMessages(body: JsonObject): JsonObject {
  requireShallow(body);
  refuseWhatIsMissing(body);
  const { system, messages } = messageTurns(body["messages"]);
  const { thinking, effort } = thinkingMembers(body);
  const format = outputFormat(body);
  const user =
    optionalText(body["user"], "user") ?? optionalText(body["safety_identifier"], "safety_identifier");
  return present({
    model: body["model"],
    max_tokens: maxTokens(body, thinking),
    system: system.length === 0 ? undefined : system,
    messages,
    ...messageTools(body),
    stop_sequences: stopSequences(body["stop"]),
    temperature: optionalNumber(body["temperature"], "temperature"),
    top_p: optionalNumber(body["top_p"], "top_p"),
    top_k: optionalNumber(body["top_k"], "top_k"),
    stream: optionalFlag(body["stream"], "stream"),
    metadata: user === undefined ? undefined : { user_id: user },
    thinking,
    output_config: effort === undefined && format === undefined ? undefined : present({ effort, format }),
  });
}

function refuse(param: string, why: string): never {
  throw new DialectError(param, `${param}: ${why}.`);
}

function refuseWhatIsMissing(body: JsonObject): void {
  const n = optionalNumber(body["n"], "n");
  if (n !== undefined && n !== 1) refuse("n", "this engine gives one answer only");
  if (optionalFlag(body["logprobs"], "logprobs") === true) refuse("logprobs", "this engine tells none");
  if (isList(body["modalities"]) && body["modalities"].includes("audio")) {
    refuse("modalities", "this engine answers with text only");
  }
}

function maxTokens(body: JsonObject, thinking: JsonObject | undefined): number {
  const asked =
    optionalNumber(body["max_completion_tokens"], "max_completion_tokens") ??
    optionalNumber(body["max_tokens"], "max_tokens");
  if (asked !== undefined) return asked;
  const budget = thinking?.["budget_tokens"];
  return DEFAULT_MAX_TOKENS + (typeof budget === "number" ? budget : 0);
}

function stopSequences(stop: unknown): readonly string[] | undefined {
  if (stop === undefined || stop === null) return undefined;
  if (typeof stop === "string") return [stop];
  const stops = requireList(stop, "stop", "a string or a list of strings").map((text, at) =>
    requireText(text, `stop[${at}]`),
  );
  return stops.length === 0 ? undefined : stops;
}

interface Thinking {
  readonly thinking?: JsonObject;
  readonly effort?: string;
}

const EFFORTS: ReadonlySet<string> = new Set(["low", "medium", "high", "xhigh", "max"]);

/** A budget in tokens (llama-server's word) is kept; an effort is left to the model, as its newer releases want it. */
function thinkingMembers(body: JsonObject): Thinking {
  const budget = optionalNumber(body["thinking_budget_tokens"], "thinking_budget_tokens");
  if (budget !== undefined && budget > 0) return { thinking: { type: "enabled", budget_tokens: budget } };
  const effort = optionalText(body["reasoning_effort"], "reasoning_effort");
  const template = optionalObject(body["chat_template_kwargs"], "chat_template_kwargs");
  if (effort === "none" || budget === 0 || template?.["enable_thinking"] === false) {
    return { thinking: { type: "disabled" } };
  }
  if (effort === undefined) return {};
  const known = effort === "minimal" ? "low" : effort;
  if (!EFFORTS.has(known)) {
    throw new DialectError(
      "reasoning_effort",
      `reasoning_effort: expected "none", "minimal", "low", "medium", "high", "xhigh" or "max", found ${JSON.stringify(effort.slice(0, 40))}.`,
    );
  }
  return { thinking: { type: "adaptive" }, effort: known };
}

function outputFormat(body: JsonObject): JsonObject | undefined {
  const format = optionalObject(body["response_format"], "response_format");
  switch (format?.["type"]) {
    case undefined:
    case "text":
      return undefined;
    case "json_schema": {
      const known = requireObject(format["json_schema"], "response_format.json_schema");
      const schema = requireObject(known["schema"], "response_format.json_schema.schema", "a JSON schema");
      return { type: "json_schema", schema };
    }
    default:
      throw new DialectError(
        "response_format.type",
        'response_format.type: this engine knows "json_schema" only; "json_object" has no counterpart there.',
      );
  }
}
