import type OpenAI from "openai";
import { z } from "zod";

/** What the demo model answers to `QUESTION` at temperature 0, whatever engine runs it. */
export const TEXT =
  "Omni is the sovereign AI node: one file, omni.yaml, describes your node, and Omni plans, renders, applies and runs it.";

export const QUESTION = [{ role: "user", content: "What is Omni?" }] as const;

/** One dot. */
export const DOT =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

export const PICTURE = {
  type: "image_url",
  image_url: { url: `data:image/png;base64,${DOT}` },
} as const satisfies OpenAI.ChatCompletionContentPartImage;

// Bounded values, so that a model of any size comes to their end.
const CITY = {
  type: "object",
  properties: { city: { type: "string", enum: ["Köln", "Paris"] } },
  required: ["city"],
  additionalProperties: false,
} as const;

const DESCRIBED = { get_weather: "The weather in a city.", get_time: "The time in a city." } as const;

/** Two tools of chat. */
export const chatTools = (): OpenAI.ChatCompletionFunctionTool[] =>
  Object.entries(DESCRIBED).map(([name, description]) => ({
    type: "function",
    function: { name, description, parameters: CITY },
  }));

/** The same two as responses have them. */
export const responseTools = (): OpenAI.Responses.FunctionTool[] =>
  Object.entries(DESCRIBED).map(([name, description]) => ({
    type: "function",
    name,
    description,
    strict: true,
    parameters: CITY,
  }));

/** The same two as Anthropic has them. */
export const messageTools = () =>
  Object.entries(DESCRIBED).map(([name, description]) => ({
    name,
    description,
    input_schema: { ...CITY, required: ["city"] },
  }));

export const ARGUMENTS = z.strictObject({ city: z.enum(["Köln", "Paris"]) });

/** The cities that calls ask for. Throws where the arguments are not what the tool takes. */
export const citiesOf = (calls: OpenAI.ChatCompletionMessage["tool_calls"]): string[] =>
  (calls ?? []).map((call) => {
    if (call.type !== "function" || !(call.function.name in DESCRIBED)) throw new Error("no such tool");
    return ARGUMENTS.parse(JSON.parse(call.function.arguments)).city;
  });
