import type { RouteNeed } from "../../plan/plan.ts";
import type { Ask, Operation } from "../ask.ts";
import { namesPart } from "./message-parts.ts";

const BY_OPERATION: Readonly<Partial<Record<Operation, RouteNeed>>> = {
  embeddings: "embeddings",
  rerank: "rerank",
  score: "rerank",
};
const CHAT: ReadonlySet<Operation> = new Set(["chat", "messages", "responses"]);
/** Members whose value may be large are looked at no further than this. */
const HEAD = 2_048;

/** The features that a request cannot do without, and `reasoning` where it asks for it. */
export function needsOf(ask: Ask): readonly RouteNeed[] {
  const needs: RouteNeed[] = [];
  const own = BY_OPERATION[ask.operation];
  if (own !== undefined) needs.push(own);
  if (ask.path.startsWith("/v1/images/")) needs.push("image");
  if (CHAT.has(ask.operation)) {
    if (isFilled(ask, "tools") || isFilled(ask, "functions")) needs.push("tools");
    if (wantsJson(ask)) needs.push("json");
    if (hasPart(ask, "vision")) needs.push("vision");
    if (hasPart(ask, "audio")) needs.push("audio");
    if (wantsReasoning(ask)) needs.push("reasoning");
  } else if (ask.operation === "completions" && wantsJson(ask)) needs.push("json");
  return needs;
}

/** What a service that says what it offers must offer; thinking is left out where it cannot be done, and the answer is one all the same. */
const HARD: ReadonlySet<RouteNeed> = new Set([
  "tools",
  "json",
  "vision",
  "audio",
  "embeddings",
  "image",
  "rerank",
]);
/** Capabilities of the spec of which each says that a service generates text. */
const GENERATES = ["chat", "completion", "tools", "json", "reasoning", "vision", "audio"] as const;
const GENERATED: ReadonlySet<Operation> = new Set(["chat", "completions", "messages", "responses"]);

/** What a service that offers `capabilities` lacks for a request. */
export function lacks(
  capabilities: readonly string[],
  needs: readonly RouteNeed[],
  operation: Operation,
): readonly string[] {
  const missing: string[] = needs.filter((need) => HARD.has(need) && !capabilities.includes(need));
  if (GENERATED.has(operation) && !GENERATES.some((one) => capabilities.includes(one))) {
    missing.unshift(operation === "completions" ? "completion" : "chat");
  }
  return missing;
}

function textOf(ask: Ask, member: string): string | undefined {
  const span = ask.spans.get(member);
  return span === undefined
    ? undefined
    : ask.bytes.toString("latin1", span.start, Math.min(span.end, span.start + HEAD));
}

/** A list or object with something in it. */
function isFilled(ask: Ask, member: string): boolean {
  const text = textOf(ask, member);
  return text !== undefined && /^[[{]\s*[^\s\]}]/.test(text);
}

/** Chat's `response_format`, the `text.format` of responses, Anthropic's `output_config.format`. */
const wantsJson = (ask: Ask): boolean =>
  ["response_format", "text", "output_config"].some((member) =>
    /"type"\s*:\s*"json_(?:object|schema)"/.test(textOf(ask, member) ?? ""),
  );

function wantsReasoning(ask: Ask): boolean {
  const effort = textOf(ask, "reasoning_effort");
  if (effort !== undefined) return effort !== '"none"' && effort !== "null";
  const thinking = textOf(ask, "thinking") ?? textOf(ask, "reasoning");
  return thinking?.startsWith("{") === true && !/"(?:disabled|none)"/.test(thinking);
}

function hasPart(ask: Ask, kind: "vision" | "audio"): boolean {
  const span = ask.spans.get("messages") ?? ask.spans.get("input");
  return span !== undefined && namesPart(ask.bytes, span, kind);
}
