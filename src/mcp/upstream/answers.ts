import type {
  CallToolResult,
  CompleteResult,
  GetPromptResult,
  InputRequiredResult,
  ReadResourceResult,
} from "@modelcontextprotocol/server";
import { ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";

import type { Answer } from "../provider.ts";

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const areObjects = (value: unknown): boolean => Array.isArray(value) && value.every(isObject);

/** No deeper than what this node itself looks at: the rest is between the server and the client. */
const isToolResult = (value: unknown): value is CallToolResult =>
  isObject(value) && areObjects(value["content"]);
const isContents = (value: unknown): value is ReadResourceResult =>
  isObject(value) && areObjects(value["contents"]);
const isPrompt = (value: unknown): value is GetPromptResult =>
  isObject(value) && areObjects(value["messages"]);
const isCompletion = (value: unknown): value is CompleteResult =>
  isObject(value) && isObject(value["completion"]) && Array.isArray(value["completion"]["values"]);
const isInputRequired = (value: unknown): value is InputRequiredResult =>
  isObject(value) && value["resultType"] === "input_required";

/** Old servers leave the content out where there is none. */
export function toolAnswer(value: unknown): Answer<CallToolResult> {
  if (isObject(value) && value["content"] === undefined && value["resultType"] !== "input_required") {
    return answer({ ...value, content: [] }, isToolResult);
  }
  return answer(value, isToolResult);
}

export const contentsAnswer = (value: unknown): Answer<ReadResourceResult> => answer(value, isContents);
export const promptAnswer = (value: unknown): Answer<GetPromptResult> => answer(value, isPrompt);

export function completionAnswer(value: unknown): CompleteResult {
  if (isCompletion(value)) return value;
  throw nonsense();
}

function answer<T>(value: unknown, isWhole: (value: unknown) => value is T): Answer<T> {
  if (isInputRequired(value) || isWhole(value)) return value;
  throw nonsense();
}

const nonsense = (): ProtocolError =>
  new ProtocolError(
    ProtocolErrorCode.InternalError,
    "The server's answer has not the form that the protocol wants.",
  );
