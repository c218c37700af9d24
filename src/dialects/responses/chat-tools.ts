import type { JsonObject } from "../dialect.ts";
import {
  isObject,
  optionalFlag,
  optionalList,
  optionalObject,
  optionalText,
  present,
  requireList,
  requireObject,
  requireText,
  shown,
} from "../fields.ts";
import { DialectError } from "../translation.ts";

/**
 * Functions of a responses request as those of a chat, with how they may be chosen; entries of type `mcp` are left out,
 * because the gateway runs them itself. Throws `DialectError` for tools that only OpenAI's servers have.
 */
export function chatTools(body: JsonObject): JsonObject {
  const all = (optionalList(body["tools"], "tools") ?? []).flatMap((tool, at) => {
    const known = requireObject(tool, `tools[${at}]`, "a tool");
    return known["type"] === "mcp" ? [] : [chatTool(known, `tools[${at}]`)];
  });
  const chosen = choice(body["tool_choice"]);
  const tools = all.filter((tool) => chosen.only === undefined || chosen.only.has(nameOf(tool)));
  const parallel = optionalFlag(body["parallel_tool_calls"], "parallel_tool_calls");
  if (tools.length === 0) return {};
  return present({ tools, tool_choice: chosen.value, parallel_tool_calls: parallel });
}

const nameOf = (tool: JsonObject): unknown =>
  isObject(tool["function"]) ? tool["function"]["name"] : undefined;

function chatTool(tool: JsonObject, param: string): JsonObject {
  if (tool["type"] !== "function") {
    throw new DialectError(
      `${param}.type`,
      `${param}: expected a tool of type "function" or "mcp"; ${shown(tool["type"])} is run by OpenAI's servers or has no counterpart at this engine.`,
    );
  }
  return {
    type: "function",
    function: present({
      name: requireText(tool["name"], `${param}.name`),
      description: optionalText(tool["description"], `${param}.description`),
      parameters: optionalObject(tool["parameters"], `${param}.parameters`),
      strict: optionalFlag(tool["strict"], `${param}.strict`),
    }),
  };
}

interface Choice {
  readonly value: unknown;
  /** Names of the tools that may be called; `undefined` for all. */
  readonly only?: ReadonlySet<unknown>;
}

function choice(value: unknown): Choice {
  if (value === undefined || value === null) return { value: undefined };
  if (value === "auto" || value === "required" || value === "none") return { value };
  const known = requireObject(value, "tool_choice", '"auto", "required", "none" or an object');
  switch (known["type"]) {
    case "function":
      return {
        value: { type: "function", function: { name: requireText(known["name"], "tool_choice.name") } },
      };
    case "allowed_tools": {
      const tools = requireList(known["tools"], "tool_choice.tools");
      const names = tools.map((tool, at) => requireObject(tool, `tool_choice.tools[${at}]`)["name"]);
      return { value: known["mode"] === "required" ? "required" : "auto", only: new Set(names) };
    }
    // Which of its tools is to be called is for the gateway, which runs them.
    case "mcp":
      return { value: "auto" };
    default:
      throw new DialectError(
        "tool_choice.type",
        'tool_choice.type: expected "function", "allowed_tools" or "mcp".',
      );
  }
}
