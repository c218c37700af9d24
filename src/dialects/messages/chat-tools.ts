import type { JsonObject } from "../dialect.ts";
import {
  optionalFlag,
  optionalList,
  optionalObject,
  optionalText,
  present,
  requireObject,
  requireText,
  shown,
} from "../fields.ts";
import { DialectError } from "../translation.ts";

/** Tools of a messages request as functions of a chat, with how they may be chosen. Throws `DialectError`. */
export function chatTools(body: JsonObject): JsonObject {
  const tools = optionalList(body["tools"], "tools")?.map((tool, at) =>
    chatTool(requireObject(tool, `tools[${at}]`, "a tool"), `tools[${at}]`),
  );
  const choice = optionalObject(body["tool_choice"], "tool_choice");
  if (tools === undefined || tools.length === 0) return {};
  const single = optionalFlag(choice?.["disable_parallel_tool_use"], "tool_choice.disable_parallel_tool_use");
  return present({
    tools,
    tool_choice: choice === undefined ? undefined : chatChoice(choice),
    parallel_tool_calls: single === undefined ? undefined : !single,
  });
}

function chatTool(tool: JsonObject, param: string): JsonObject {
  const type = optionalText(tool["type"], `${param}.type`) ?? "custom";
  if (type !== "custom") {
    throw new DialectError(
      `${param}.type`,
      `${param}: ${shown(type)} is a tool that Anthropic defines, and this engine does not know it. Give it as a tool with its own input_schema.`,
    );
  }
  return {
    type: "function",
    function: present({
      name: requireText(tool["name"], `${param}.name`),
      description: optionalText(tool["description"], `${param}.description`),
      parameters: requireObject(tool["input_schema"], `${param}.input_schema`, "a JSON schema"),
      strict: optionalFlag(tool["strict"], `${param}.strict`),
    }),
  };
}

function chatChoice(choice: JsonObject): unknown {
  switch (choice["type"]) {
    case "auto":
      return "auto";
    case "any":
      return "required";
    case "none":
      return "none";
    case "tool":
      return { type: "function", function: { name: requireText(choice["name"], "tool_choice.name") } };
    default:
      throw new DialectError(
        "tool_choice.type",
        'tool_choice.type: expected "auto", "any", "tool" or "none".',
      );
  }
}
