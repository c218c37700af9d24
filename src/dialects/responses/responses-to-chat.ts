import { requireShallow } from "../depth.ts";
import type { JsonObject } from "../dialect.ts";
import {
  isList,
  optionalFlag,
  optionalNumber,
  optionalObject,
  optionalText,
  present,
  requireObject,
  unknownMembers,
} from "../fields.ts";
import { DialectError } from "../translation.ts";
import { chatMessages } from "./chat-messages.ts";
import { chatTools } from "./chat-tools.ts";

/** Members of a responses request that are translated, or that are for whoever keeps the answers. */
const KNOWN: ReadonlySet<string> = new Set([
  "input",
  "instructions",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "max_output_tokens",
  "max_tool_calls",
  "text",
  "reasoning",
  "stream",
  "stream_options",
  "store",
  "previous_response_id",
  "include",
  "metadata",
  "background",
  "conversation",
  "context_management",
  "truncation",
  "prompt",
  "prompt_cache_key",
  "prompt_cache_options",
  "prompt_cache_retention",
  "safety_identifier",
  "service_tier",
  "moderation",
  "access_programs",
  "image",
  "top_logprobs",
]);

/** A responses request whose input is complete as a chat request; members that OpenAI does not know stay. Throws `DialectError`. */
export function responsesToChat(body: JsonObject): JsonObject {
  requireShallow(body);
  refuseWhatIsKeptElsewhere(body);
  for (const name of ["temperature", "top_p"]) optionalNumber(body[name], name);
  const stream = optionalFlag(body["stream"], "stream");
  const text = optionalObject(body["text"], "text");
  const reasoning = optionalObject(body["reasoning"], "reasoning");
  return {
    ...unknownMembers(body, KNOWN),
    messages: chatMessages(body),
    ...chatTools(body),
    ...present({
      max_tokens: optionalNumber(body["max_output_tokens"], "max_output_tokens"),
      user:
        optionalText(body["user"], "user") ?? optionalText(body["safety_identifier"], "safety_identifier"),
      stream,
      stream_options: stream === true ? { include_usage: true } : undefined,
      response_format: responseFormat(text),
      verbosity: optionalText(text?.["verbosity"], "text.verbosity"),
      reasoning_effort: optionalText(reasoning?.["effort"], "reasoning.effort"),
    }),
  };
}

function refuseWhatIsKeptElsewhere(body: JsonObject): void {
  if (body["prompt"] !== undefined && body["prompt"] !== null) {
    throw new DialectError("prompt", "prompt: prompt templates are kept by OpenAI; send the input itself.");
  }
  if (body["conversation"] !== undefined && body["conversation"] !== null) {
    throw new DialectError(
      "conversation",
      "conversation: conversations are kept by OpenAI; use previous_response_id or send the whole input.",
    );
  }
  const n = body["n"];
  if (n !== undefined && n !== null && n !== 1) {
    throw new DialectError("n", "n: the responses dialect has one answer only.");
  }
  if (isList(body["include"]) && body["include"].includes("message.output_text.logprobs")) {
    throw new DialectError(
      "include",
      "include: message.output_text.logprobs cannot be had from this engine.",
    );
  }
}

function responseFormat(text: JsonObject | undefined): JsonObject | undefined {
  const format = optionalObject(text?.["format"], "text.format");
  switch (format?.["type"]) {
    case undefined:
    case "text":
      return undefined;
    case "json_object":
      return { type: "json_object" };
    case "json_schema":
      return {
        type: "json_schema",
        json_schema: present({
          name: optionalText(format["name"], "text.format.name") ?? "answer",
          description: optionalText(format["description"], "text.format.description"),
          schema: requireObject(format["schema"], "text.format.schema", "a JSON schema"),
          strict: optionalFlag(format["strict"], "text.format.strict"),
        }),
      };
    default:
      throw new DialectError(
        "text.format.type",
        'text.format.type: expected "text", "json_object" or "json_schema".',
      );
  }
}
