import { badParameter } from "./api-error.ts";
import { isObject, show } from "./fields.ts";

type Body = Readonly<Record<string, unknown>>;

/** A function that the model may call. */
export interface ToolDefinition {
  readonly name: string;
  readonly description: string | undefined;
  /** JSON Schema of the arguments. */
  readonly parameters: unknown;
  readonly strict: boolean;
  /** The tool as it was given, for chat templates. */
  readonly given: Body;
}

export type ToolChoice =
  | { readonly kind: "none" | "auto" | "required" }
  | { readonly kind: "named"; readonly name: string };

const NAME = /^[a-zA-Z0-9_.-]{1,128}$/;

/** Reads `tools`. Throws `ApiError` 400 naming the tool. */
export function readTools(body: Body): ToolDefinition[] {
  const value = body["tools"];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw badParameter("tools", `tools is ${show(value)}; it must be a list.`);
  const tools = value.map((tool: unknown, index) => readTool(tool, `tools[${index}]`));
  const names = new Set<string>();
  for (const { name } of tools) {
    if (names.has(name)) throw badParameter("tools", `tools has two functions named ${name}.`);
    names.add(name);
  }
  return tools;
}

function readTool(tool: unknown, path: string): ToolDefinition {
  const described = isObject(tool) ? tool["function"] : undefined;
  if (!isObject(tool) || tool["type"] !== "function" || !isObject(described)) {
    throw badParameter(path, `${path} is ${show(tool)}; it must be {"type": "function", "function": {...}}.`);
  }
  const { name, description, parameters, strict } = described;
  if (typeof name !== "string" || !NAME.test(name)) {
    throw badParameter(
      `${path}.function.name`,
      `${path}.function.name is ${show(name)}; it must match ${NAME.source}.`,
    );
  }
  if (parameters !== undefined && parameters !== null && !isObject(parameters)) {
    throw badParameter(
      `${path}.function.parameters`,
      `${path}.function.parameters is ${show(parameters)}; it must be a JSON Schema.`,
    );
  }
  return {
    name,
    description: typeof description === "string" ? description : undefined,
    parameters: parameters ?? { type: "object", properties: {} },
    strict: strict === true,
    given: tool,
  };
}

/** Reads `tool_choice`; the default is `auto` with tools and `none` without. */
export function readToolChoice(body: Body, tools: readonly ToolDefinition[]): ToolChoice {
  const value = body["tool_choice"];
  if (value === undefined || value === null) return { kind: tools.length > 0 ? "auto" : "none" };
  if (value === "none") return { kind: "none" };
  if (tools.length === 0)
    throw badParameter("tool_choice", `tool_choice is ${show(value)}, but there are no tools.`);
  if (value === "auto" || value === "required") return { kind: value };
  const named = isObject(value) && value["type"] === "function" ? value["function"] : undefined;
  const name = isObject(named) ? named["name"] : undefined;
  if (typeof name === "string" && tools.some((tool) => tool.name === name)) return { kind: "named", name };
  throw badParameter(
    "tool_choice",
    `tool_choice is ${show(value)}; it must be none, auto, required or a function among ${tools.map((tool) => tool.name).join(", ")}.`,
  );
}
