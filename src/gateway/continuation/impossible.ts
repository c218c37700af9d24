import type { EngineDialect, EngineSurface } from "../../engines/surface.ts";
import type { JsonObject } from "../../dialects/dialect.ts";
import type { Said } from "./continuation.ts";
import { asList, asObject, isGiven } from "./fields.ts";

/** What a grammar steers cannot be gone on with: the engine would start the grammar anew behind the prefill. */
const GUIDED = [
  "guided_json",
  "guided_regex",
  "guided_choice",
  "guided_grammar",
  "structured_outputs",
  "structural_tag",
  "json_schema",
  "grammar",
  "regex",
  "ebnf",
] as const;

/** Why an answer of which something was said cannot go on at an engine with that surface; `undefined` when it can. */
export function whyImpossible(
  request: JsonObject,
  lane: EngineDialect,
  said: Said,
  surface: EngineSurface,
): string | undefined {
  return (
    whyNotThisAnswer(said) ??
    whyNotThisRequest(request) ??
    (lane === "completions"
      ? whyNotThisPrompt(request, surface)
      : (whyNotTheseTools(request) ?? whyNotThisEngine(request, said, surface)))
  );
}

function whyNotThisAnswer(said: Said): string | undefined {
  if (said.toolCall) return "a tool call, or something else that is no text, had begun";
  if (said.several) return "it has several choices";
  if (said.logprobs) return "it carries log probabilities";
  if (said.mixed) return "thinking and text take turns in it";
  return undefined;
}

function whyNotThisRequest(request: JsonObject): string | undefined {
  const number = (name: string): number => (typeof request[name] === "number" ? request[name] : 0);
  if (number("n") > 1) return "n is more than 1";
  if (number("best_of") > 1 || request["use_beam_search"] === true)
    return "the best of several was asked for";
  if ((isGiven(request["logprobs"]) && request["logprobs"] !== false) || number("top_logprobs") > 0)
    return "log probabilities were asked for";
  if (request["echo"] === true) return "echo was asked for";
  const format = asObject(request["response_format"])?.["type"];
  if (isGiven(format) && format !== "text")
    return "its format is prescribed, and an engine cannot re-enter a grammar";
  const guided =
    GUIDED.find((name) => isGiven(request[name])) ??
    (isGiven(request["output_format"]) || isGiven(asObject(request["output_config"])?.["format"])
      ? "output_format"
      : undefined);
  if (guided !== undefined) return `${guided} steers it, and an engine cannot re-enter a grammar`;
  return asList(request["modalities"]).includes("audio") ? "audio was asked for" : undefined;
}

function whyNotThisPrompt(request: JsonObject, surface: EngineSurface): string | undefined {
  if (!surface.dialects.includes("completions")) return "the next engine serves no completions";
  if (isGiven(request["suffix"]) && request["suffix"] !== "") return "it fills in between two texts";
  if (promptText(request) === undefined) return "its prompt is not one text";
  return undefined;
}

/** The prompt, where it is one text. */
export function promptText(request: JsonObject): string | undefined {
  const prompt = request["prompt"];
  const one: unknown = Array.isArray(prompt) && prompt.length === 1 ? prompt[0] : prompt;
  return typeof one === "string" ? one : undefined;
}

function whyNotTheseTools(request: JsonObject): string | undefined {
  const choice = request["tool_choice"];
  const kind = asObject(choice)?.["type"] ?? choice;
  const free = !isGiven(kind) || kind === "auto" || kind === "none";
  if (!free || typeof request["function_call"] === "object") {
    return isGiven(choice) || isGiven(request["function_call"]) ? "a tool call was required" : undefined;
  }
  return undefined;
}

function whyNotThisEngine(request: JsonObject, said: Said, surface: EngineSurface): string | undefined {
  const { prefill } = surface;
  if (surface.continuesChat === undefined || prefill === undefined)
    return "the next engine cannot go on with a begun message";
  if (prefill !== "as-text" && /^\s*<think/.test(said.text))
    return "its text holds the tags of thinking, which the next engine would read as its own";
  const thought = said.reasoning !== "";
  if (prefill === "as-text" && thought) return "the next engine cannot be given thinking back";
  if (prefill === "by-template" && thought && said.text.trim() === "")
    return "the next engine cannot go on within thinking";
  if (prefill === "text-only" && (thought || thinks(request)))
    return "the next engine takes no begun message where thinking is on";
  return undefined;
}

/** Thinking is asked for, in the words of messages or of chat. */
function thinks(request: JsonObject): boolean {
  const type = asObject(request["thinking"])?.["type"];
  if (isGiven(type)) return type !== "disabled";
  const effort = request["reasoning_effort"] ?? asObject(request["reasoning"])?.["effort"];
  return isGiven(effort) && effort !== "none";
}
