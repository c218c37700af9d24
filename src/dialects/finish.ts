import type { Finish } from "./answer.ts";

/** A chat's `finish_reason`; an unknown word is an end like any other. */
export function readFinishReason(reason: string): Finish {
  switch (reason) {
    case "length":
      return "length";
    case "tool_calls":
    case "function_call":
      return "tool";
    case "content_filter":
      return "refusal";
    default:
      return "stop";
  }
}

/** Anthropic's `stop_reason`. */
export function readStopReason(reason: string): Finish {
  switch (reason) {
    case "max_tokens":
      return "length";
    case "model_context_window_exceeded":
      return "context";
    case "tool_use":
      return "tool";
    case "stop_sequence":
      return "stop_sequence";
    case "refusal":
      return "refusal";
    case "pause_turn":
      return "pause";
    default:
      return "stop";
  }
}

/** `finish_reason` of a chat. */
export function finishReason(finish: Finish): string {
  switch (finish) {
    case "length":
    case "context":
      return "length";
    case "tool":
      return "tool_calls";
    case "refusal":
      return "content_filter";
    case "stop":
    case "stop_sequence":
    case "pause":
      return "stop";
  }
}

/** `stop_reason` of Anthropic's dialect. */
export function stopReason(finish: Finish): string {
  switch (finish) {
    case "stop":
      return "end_turn";
    case "stop_sequence":
      return "stop_sequence";
    case "length":
      return "max_tokens";
    case "context":
      return "model_context_window_exceeded";
    case "tool":
      return "tool_use";
    case "refusal":
      return "refusal";
    case "pause":
      return "pause_turn";
  }
}

/** Anthropic's `stop_details`, which only refusals have. */
export const stopDetails = (finish: Finish): unknown =>
  finish === "refusal" ? { type: "refusal", category: null, explanation: null } : null;
