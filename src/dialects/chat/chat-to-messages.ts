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
import type { ClaudeRules } from "./claude-rules.ts";
import { claudeRules } from "./claude-rules.ts";
import { messageExtent } from "./message-thinking.ts";
import { messageTools } from "./message-tools.ts";
import { messageTurns } from "./message-turns.ts";

/**
 * A chat request as a messages request. Members for which Anthropic's dialect has no word and that only shape sampling
 * (`seed`, penalties, `logit_bias`) are left out, and so is what the release of the model in `model` is known to refuse; throws `DialectError` for those that the answer would lack.
 */
export function chatToMessages(body: JsonObject): JsonObject {
  requireShallow(body);
  refuseWhatIsMissing(body);
  const { system, messages } = messageTurns(body["messages"]);
  const rules = claudeRules(body["model"]);
  const { maxTokens, thinking, effort } = messageExtent(body, rules);
  const format = outputFormat(body);
  const user =
    optionalText(body["user"], "user") ?? optionalText(body["safety_identifier"], "safety_identifier");
  return present({
    model: body["model"],
    max_tokens: maxTokens,
    system: system.length === 0 ? undefined : system,
    messages,
    ...messageTools(body),
    stop_sequences: stopSequences(body["stop"]),
    ...samplers(body, rules.samplers),
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

/** What the model would refuse is left out, `top_p` before `temperature`: a fallback that always fails is none. */
function samplers(body: JsonObject, most: ClaudeRules["samplers"]): JsonObject {
  const temperature = optionalNumber(body["temperature"], "temperature");
  const top_p = optionalNumber(body["top_p"], "top_p");
  const top_k = optionalNumber(body["top_k"], "top_k");
  if (most === 0) return {};
  return { temperature, top_p: most === 2 || temperature === undefined ? top_p : undefined, top_k };
}

function stopSequences(stop: unknown): readonly string[] | undefined {
  if (stop === undefined || stop === null) return undefined;
  if (typeof stop === "string") return [stop];
  const stops = requireList(stop, "stop", "a string or a list of strings").map((text, at) =>
    requireText(text, `stop[${at}]`),
  );
  return stops.length === 0 ? undefined : stops;
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
