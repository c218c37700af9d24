import type { JsonObject } from "../dialects/index.ts";
import { isObject } from "../dialects/index.ts";
import type { Ask } from "./ask.ts";

const OBJECT_BEGINS = 0x7b;

/** Whether a chat names the tools that may be called, rather than "auto", "none" or "required". */
export function namesTools({ spans, bytes }: Pick<Ask, "spans" | "bytes">): boolean {
  const choice = spans.get("tool_choice");
  return choice !== undefined && bytes[choice.start] === OBJECT_BEGINS;
}

/**
 * The chat for an engine that does not know tools by name in `tool_choice`: it is offered no others, and must call one
 * where one was named. A choice that names no tool of the request stays as it is.
 */
export function offeringNamed(body: JsonObject): JsonObject {
  const chosen = chosenBy(body["tool_choice"]);
  const tools = body["tools"];
  if (chosen === undefined || !Array.isArray(tools)) return body;
  const offered = tools.filter((tool) => chosen.names.has(nameOf(tool) ?? ""));
  return offered.length === 0 ? body : { ...body, tools: offered, tool_choice: chosen.mode };
}

interface Chosen {
  readonly names: ReadonlySet<string>;
  readonly mode: "auto" | "required";
}

/** `{type: "function", function: {name}}`, or `{type: "allowed_tools", allowed_tools: {mode, tools}}`. */
function chosenBy(choice: unknown): Chosen | undefined {
  const name = nameOf(choice);
  if (name !== undefined) return { names: new Set([name]), mode: "required" };
  const allowed = isObject(choice) ? choice["allowed_tools"] : undefined;
  if (!isObject(allowed) || !Array.isArray(allowed["tools"])) return undefined;
  const names = allowed["tools"].map(nameOf).filter((one) => one !== undefined);
  return { names: new Set(names), mode: allowed["mode"] === "required" ? "required" : "auto" };
}

function nameOf(tool: unknown): string | undefined {
  const called = isObject(tool) ? tool["function"] : undefined;
  const name = isObject(called) ? called["name"] : undefined;
  return typeof name === "string" ? name : undefined;
}
