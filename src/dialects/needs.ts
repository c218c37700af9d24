import type { Dialect, JsonObject } from "./dialect.ts";
import { isList, isObject } from "./fields.ts";

/** What a request needs of a model beside text, by which routing leaves services out. */
export interface DialectNeeds {
  readonly tools: boolean;
  /** Output bound to JSON or to a schema. */
  readonly json: boolean;
  readonly vision: boolean;
  readonly audio: boolean;
  readonly reasoning: boolean;
}

/** What a parsed request needs. Never throws: what is not understood needs nothing, and is refused where it is translated. */
export function dialectNeeds(dialect: Dialect, body: JsonObject): DialectNeeds {
  const types = partTypes(dialect === "responses" ? body["input"] : body["messages"]);
  const modalities = body["modalities"];
  return {
    tools: needsTools(body),
    json: needsJson(body),
    vision: VISION.some((type) => types.has(type)),
    audio:
      types.has("input_audio") ||
      (isObject(body["audio"]) && dialect === "chat") ||
      (isList(modalities) && modalities.includes("audio")),
    reasoning: needsReasoning(body),
  };
}

const VISION = ["image", "image_url", "input_image"] as const;

/** A choice of "none" leaves the tools in the prompt; they still have to be understood. */
const needsTools = (body: JsonObject): boolean =>
  [body["tools"], body["functions"]].some((tools) => isList(tools) && tools.length > 0);

function needsJson(body: JsonObject): boolean {
  const { response_format: chat, output_config: output, output_format: older, text } = body;
  const formats = [
    chat,
    older,
    isObject(output) ? output["format"] : undefined,
    isObject(text) ? text["format"] : undefined,
  ];
  return formats.some((format) => isObject(format) && format["type"] !== "text");
}

/** Only what asks for thinking: an effort of "none" and disabled thinking are served by any model. */
function needsReasoning(body: JsonObject): boolean {
  const { thinking, reasoning, reasoning_effort: effort } = body;
  const efforts = [effort, isObject(reasoning) ? reasoning["effort"] : undefined];
  return (
    efforts.some((word) => typeof word === "string" && word !== "none") ||
    (isObject(thinking) && thinking["type"] !== undefined && thinking["type"] !== "disabled")
  );
}

/** Types of the parts of all messages, and of those within results of tools: two levels, as the dialects have them. */
function partTypes(messages: unknown): Set<unknown> {
  const types = new Set<unknown>();
  if (!isList(messages)) return types;
  for (const message of messages) {
    if (!isObject(message)) continue;
    for (const content of [message["content"], message["output"]]) collect(content, types, 2);
  }
  return types;
}

function collect(content: unknown, types: Set<unknown>, levels: number): void {
  if (!isList(content)) return;
  for (const part of content) {
    if (!isObject(part)) continue;
    types.add(part["type"]);
    if (levels > 1) {
      collect(part["content"], types, levels - 1);
      if (isObject(part["source"])) collect(part["source"]["content"], types, levels - 1);
    }
  }
}
