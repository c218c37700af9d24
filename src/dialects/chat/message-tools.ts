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

/** Functions of a chat as Anthropic's tools, with how they may be chosen. Throws `DialectError`. */
export function messageTools(body: JsonObject): JsonObject {
  if (optionalList(body["functions"], "functions") !== undefined) {
    throw new DialectError("functions", "functions: this engine knows tools only, which replaced functions.");
  }
  const all = (optionalList(body["tools"], "tools") ?? []).map((tool, at) =>
    messageTool(requireObject(tool, `tools[${at}]`, "a tool"), `tools[${at}]`),
  );
  const chosen = choice(body["tool_choice"]);
  const tools = all.filter((tool) => chosen.only === undefined || chosen.only.has(tool["name"]));
  if (tools.length === 0) return {};
  const single = optionalFlag(body["parallel_tool_calls"], "parallel_tool_calls") === false;
  const type = chosen.value?.["type"];
  // "none" has no such member.
  const only = single && type !== "none" ? { disable_parallel_tool_use: true } : {};
  const value = chosen.value ?? (single ? { type: "auto" } : undefined);
  return present({ tools, tool_choice: value === undefined ? undefined : { ...value, ...only } });
}

function messageTool(tool: JsonObject, param: string): JsonObject {
  if (tool["type"] !== "function") {
    throw new DialectError(
      `${param}.type`,
      `${param}.type: this engine knows tools of type "function" only, found ${shown(tool["type"])}.`,
    );
  }
  const known = requireObject(tool["function"], `${param}.function`);
  const parameters = optionalObject(known["parameters"], `${param}.function.parameters`);
  return present({
    name: requireText(known["name"], `${param}.function.name`),
    description: optionalText(known["description"], `${param}.function.description`),
    // Anthropic requires a schema, and that of an object.
    input_schema: { type: "object", ...parameters },
    strict: optionalFlag(known["strict"], `${param}.function.strict`),
  });
}

interface Choice {
  readonly value: JsonObject | undefined;
  /** Names of the tools that may be called; `undefined` for all. */
  readonly only?: ReadonlySet<unknown>;
}

function choice(value: unknown): Choice {
  switch (value) {
    case undefined:
    case null:
      return { value: undefined };
    case "auto":
    case "none":
      return { value: { type: value } };
    case "required":
      return { value: { type: "any" } };
    default:
  }
  const known = requireObject(value, "tool_choice", '"auto", "required", "none" or an object');
  switch (known["type"]) {
    case "function": {
      const called = requireObject(known["function"], "tool_choice.function");
      return { value: { type: "tool", name: requireText(called["name"], "tool_choice.function.name") } };
    }
    case "allowed_tools": {
      const allowed = requireObject(known["allowed_tools"], "tool_choice.allowed_tools");
      const tools = requireList(allowed["tools"], "tool_choice.allowed_tools.tools");
      const names = tools.map((tool) =>
        isObject(tool) && isObject(tool["function"]) ? tool["function"]["name"] : undefined,
      );
      return { value: { type: allowed["mode"] === "required" ? "any" : "auto" }, only: new Set(names) };
    }
    default:
      throw new DialectError("tool_choice.type", 'tool_choice.type: expected "function" or "allowed_tools".');
  }
}
