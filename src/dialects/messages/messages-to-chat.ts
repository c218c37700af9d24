import { effortOf } from "../chat/message-thinking.ts";
import { requireShallow } from "../depth.ts";
import type { JsonObject } from "../dialect.ts";
import {
  isList,
  optionalFlag,
  optionalList,
  optionalNumber,
  optionalObject,
  optionalText,
  present,
  requireObject,
  requireText,
  unknownMembers,
} from "../fields.ts";
import { DialectError } from "../translation.ts";
import { chatMessages } from "./chat-messages.ts";
import { chatTools } from "./chat-tools.ts";

/** Members of a messages request that are translated, or that mean something to Anthropic's own servers only. */
const KNOWN: ReadonlySet<string> = new Set([
  "messages",
  "system",
  "tools",
  "tool_choice",
  "max_tokens",
  "stop_sequences",
  "stream",
  "metadata",
  "thinking",
  "output_config",
  "output_format",
  "cache_control",
  "container",
  "context_management",
  "mcp_servers",
  "service_tier",
  "diagnostics",
  "inference_geo",
  "speed",
  "user_profile_id",
  "workspace_id",
  "stream_options",
]);

/** A messages request as a chat request; members that Anthropic does not know (`seed`, `min_p`) stay. Throws `DialectError`. */
export function messagesToChat(body: JsonObject): JsonObject {
  requireShallow(body);
  if (isList(body["mcp_servers"]) && body["mcp_servers"].length > 0) {
    throw new DialectError("mcp_servers", "mcp_servers: this engine cannot reach MCP servers by itself.");
  }
  if (optionalNumber(body["n"], "n") !== undefined && body["n"] !== 1) {
    throw new DialectError("n", "n: the messages dialect has one answer only.");
  }
  for (const name of ["temperature", "top_p", "top_k"]) optionalNumber(body[name], name);
  const stream = optionalFlag(body["stream"], "stream");
  const user = optionalText(optionalObject(body["metadata"], "metadata")?.["user_id"], "metadata.user_id");
  const stops = optionalList(body["stop_sequences"], "stop_sequences")?.map((stop, at) =>
    requireText(stop, `stop_sequences[${at}]`),
  );
  const { template, ...thinking } = thinkingMembers(body);
  return {
    ...unknownMembers(body, KNOWN),
    messages: chatMessages(body),
    ...chatTools(body),
    ...present({
      max_tokens: optionalNumber(body["max_tokens"], "max_tokens"),
      stop: stops === undefined || stops.length === 0 ? undefined : stops,
      user,
      stream,
      stream_options: stream === true ? { include_usage: true } : undefined,
      response_format: responseFormat(body),
      ...thinking,
      chat_template_kwargs: templateMembers(body["chat_template_kwargs"], template),
    }),
  };
}

function responseFormat(body: JsonObject): JsonObject | undefined {
  const config = optionalObject(body["output_config"], "output_config");
  // `output_format` is where the member stood before it moved into `output_config`.
  const param =
    config?.["format"] === undefined || config["format"] === null ? "output_format" : "output_config.format";
  const format = optionalObject(config?.["format"] ?? body["output_format"], param);
  if (format === undefined) return undefined;
  if (format["type"] !== "json_schema") {
    throw new DialectError(`${param}.type`, `${param}.type: expected "json_schema".`);
  }
  const schema = requireObject(format["schema"], `${param}.schema`, "a JSON schema");
  return { type: "json_schema", json_schema: { name: "answer", schema, strict: true } };
}

interface Thinking {
  readonly reasoning_effort?: unknown;
  readonly thinking_budget_tokens?: unknown;
  /** Whether the chat template opens a thought; `undefined` leaves it to the model. */
  readonly template: boolean | undefined;
}

/**
 * Thinking in the words of the engines: `reasoning_effort` is OpenAI's, `thinking_budget_tokens` llama-server's, and
 * `enable_thinking` of the chat template is what Qwen, GLM and others read in llama-server, vLLM and SGLang.
 */
function thinkingMembers(body: JsonObject): Thinking {
  const effort = optionalText(
    optionalObject(body["output_config"], "output_config")?.["effort"],
    "output_config.effort",
  );
  const known = effort === undefined ? {} : { reasoning_effort: effort };
  const thinking = optionalObject(body["thinking"], "thinking");
  switch (thinking?.["type"]) {
    case undefined:
      return { ...known, template: undefined };
    case "disabled":
      return { template: false };
    case "enabled": {
      const budget = optionalNumber(thinking["budget_tokens"], "thinking.budget_tokens");
      if (budget === undefined) {
        throw new DialectError("thinking.budget_tokens", "thinking.budget_tokens: expected a number.");
      }
      return {
        reasoning_effort: effort ?? effortOf(budget),
        thinking_budget_tokens: budget,
        template: true,
      };
    }
    case "adaptive":
    case "between_tools":
      return { ...known, template: true };
    default:
      throw new DialectError("thinking.type", 'thinking.type: expected "enabled", "adaptive" or "disabled".');
  }
}

/** A client's own words to the template go before what was derived. */
function templateMembers(own: unknown, thinking: boolean | undefined): unknown {
  if (thinking === undefined) return own;
  return { enable_thinking: thinking, ...optionalObject(own, "chat_template_kwargs") };
}
