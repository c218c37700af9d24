import { badParameter } from "./api-error.ts";
import { booleanField, integerField, isObject, objectField, show, stringField } from "./fields.ts";
import type { Sampling } from "./sampling.ts";
import { readChoices, readMaxTokens, readSampling, readStops } from "./sampling-request.ts";
import type { ToolChoice, ToolDefinition } from "./tool-request.ts";
import { readToolChoice, readTools } from "./tool-request.ts";

type Body = Readonly<Record<string, unknown>>;

export interface ChatMessage {
  readonly role: string;
  /** All text parts, joined. */
  readonly content: string;
  readonly name: string | undefined;
  readonly toolCallId: string | undefined;
  readonly toolCalls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
}

export type ResponseFormat =
  | { readonly kind: "text" }
  | { readonly kind: "json" }
  | { readonly kind: "schema"; readonly schema: unknown; readonly strict: boolean };

/** A chat completion request, checked. */
export interface ChatRequest {
  readonly messages: readonly ChatMessage[];
  readonly sampling: Sampling;
  readonly stops: readonly string[];
  readonly maxTokens: number | undefined;
  readonly choices: number;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly topLogprobs: number | undefined;
  readonly format: ResponseFormat;
  readonly tools: readonly ToolDefinition[];
  readonly toolChoice: ToolChoice;
  readonly parallelToolCalls: boolean;
  readonly templateVariables: Body;
  /** The last message is the assistant's, and its text is what the answer goes on from. */
  readonly goesOn: boolean;
}

const ROLES = new Set(["system", "developer", "user", "assistant", "tool"]);

/** Checks the body of POST /v1/chat/completions. Unknown fields are ignored, as OpenAI-compatible servers do. */
export function readChatRequest(body: Body, vocabulary: number, mostChoices: number): ChatRequest {
  const tools = readTools(body);
  const messages = readMessages(body["messages"]);
  return {
    messages,
    sampling: readSampling(body, vocabulary),
    stops: readStops(body),
    maxTokens: readMaxTokens(body),
    choices: readChoices(body, mostChoices),
    stream: booleanField(body, "stream") ?? false,
    includeUsage: booleanField(objectField(body, "stream_options") ?? {}, "include_usage") ?? false,
    topLogprobs: readTopLogprobs(body),
    format: readFormat(body),
    tools,
    toolChoice: readToolChoice(body, tools),
    parallelToolCalls: booleanField(body, "parallel_tool_calls") ?? true,
    templateVariables: objectField(body, "chat_template_kwargs") ?? {},
    goesOn: readGoesOn(body, messages),
  };
}

/** `continue_final_message` and `add_generation_prompt` as vLLM has them; both true is a contradiction. */
function readGoesOn(body: Body, messages: readonly ChatMessage[]): boolean {
  const goesOn = booleanField(body, "continue_final_message") ?? false;
  const opens = booleanField(body, "add_generation_prompt") ?? !goesOn;
  if (!goesOn) return false;
  const param = "continue_final_message";
  if (opens) throw badParameter(param, `${param} and add_generation_prompt cannot both be true.`);
  const last = messages.at(-1);
  if (last?.role !== "assistant" || last.toolCalls.length > 0) {
    throw badParameter(param, `${param} needs a last message of the assistant, without tool calls.`);
  }
  return true;
}

function readMessages(value: unknown): ChatMessage[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw badParameter("messages", `messages is ${show(value)}; it must be a list of at least one message.`);
  }
  return value.map((message: unknown, index) => readMessage(message, `messages[${index}]`));
}

function readMessage(value: unknown, path: string): ChatMessage {
  if (!isObject(value)) throw badParameter(path, `${path} is ${show(value)}; it must be an object.`);
  const role = value["role"];
  if (typeof role !== "string" || !ROLES.has(role)) {
    throw badParameter(
      `${path}.role`,
      `${path}.role is ${show(role)}; it must be one of ${[...ROLES].join(", ")}.`,
    );
  }
  const calls = value["tool_calls"];
  const hasCalls = role === "assistant" && Array.isArray(calls) && calls.length > 0;
  return {
    role: role === "developer" ? "system" : role,
    content: readContent(value["content"], `${path}.content`, hasCalls),
    name: stringField(value, "name"),
    toolCallId: stringField(value, "tool_call_id"),
    toolCalls: hasCalls ? calls.map((call: unknown, i) => readCall(call, `${path}.tool_calls[${i}]`)) : [],
  };
}

function readContent(value: unknown, path: string, mayBeAbsent: boolean): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map((part: unknown, i) => readPart(part, `${path}[${i}]`)).join("");
  if ((value === undefined || value === null) && mayBeAbsent) return "";
  throw badParameter(path, `${path} is ${show(value)}; it must be a string or a list of text parts.`);
}

function readPart(part: unknown, path: string): string {
  if (!isObject(part)) throw badParameter(path, `${path} is ${show(part)}; it must be an object.`);
  const text = part["text"] ?? part["refusal"];
  if ((part["type"] === "text" || part["type"] === "refusal") && typeof text === "string") return text;
  throw badParameter(path, `${path} is of type ${show(part["type"])}; this engine takes text parts only.`);
}

function readCall(call: unknown, path: string): ChatMessage["toolCalls"][number] {
  const called = isObject(call) ? call["function"] : undefined;
  if (!isObject(call) || !isObject(called) || typeof called["name"] !== "string") {
    throw badParameter(path, `${path} is ${show(call)}; it must have a function with a name.`);
  }
  const given = called["arguments"];
  return {
    id: stringField(call, "id") ?? "",
    name: called["name"],
    arguments: typeof given === "string" ? given : JSON.stringify(given ?? {}),
  };
}

function readTopLogprobs(body: Body): number | undefined {
  const wanted = booleanField(body, "logprobs") ?? false;
  const top = integerField(body, "top_logprobs", [0, 20]);
  if (top !== undefined && !wanted) throw badParameter("top_logprobs", "top_logprobs needs logprobs: true.");
  return wanted ? (top ?? 0) : undefined;
}

function readFormat(body: Body): ResponseFormat {
  const format = objectField(body, "response_format");
  const type = format?.["type"];
  if (format === undefined || type === "text") return { kind: "text" };
  if (type === "json_object") return { kind: "json" };
  if (type !== "json_schema") {
    throw badParameter(
      "response_format.type",
      `response_format.type is ${show(type)}; it must be text, json_object or json_schema.`,
    );
  }
  const described = objectField(format, "json_schema");
  const schema = described?.["schema"];
  if (described === undefined || !(isObject(schema) || typeof schema === "boolean")) {
    throw badParameter(
      "response_format.json_schema",
      "response_format.json_schema.schema is missing; give the JSON Schema.",
    );
  }
  return { kind: "schema", schema, strict: booleanField(described, "strict") ?? false };
}
