import type { AnswerTurn } from "../turn.ts";
import { withCall } from "./grow.ts";

const CONTINUED = /^omni-continued service=(\S+)/;
const TOOL = /^tool (\S+) (called|returned|failed)$/;

/** The answer after a comment of its stream: how far a wait is, where another engine went on, tools that run on the node. */
export function heardComment(answer: AnswerTurn, comment: string, now: number): AnswerTurn {
  const text = comment.trim();
  const continued = CONTINUED.exec(text)?.[1];
  if (continued !== undefined)
    return { ...answer, continued: [...answer.continued, markOf(answer, continued)] };
  const [, name, what] = TOOL.exec(text) ?? [];
  if (name !== undefined && what !== undefined) return toolHeard(answer, name, what, now);
  return answer.state === "waiting" ? { ...answer, waiting: text.replace(/^waiting: /, "") } : answer;
}

function markOf({ parts }: AnswerTurn, service: string): AnswerTurn["continued"][number] {
  const part = Math.max(0, parts.length - 1);
  const last = parts[part];
  return { part, at: last?.kind === "text" ? last.text.length : 0, service };
}

/** A chat tells only names: its calls are told apart by when they came. */
function toolHeard(answer: AnswerTurn, name: string, what: string, now: number): AnswerTurn {
  const open = answer.parts.find(
    (part) => part.kind === "call" && part.call.name === name && part.call.state === "called",
  );
  if (what !== "called" && open?.kind === "call")
    return withCall(answer, { ...open.call, state: what === "failed" ? "failed" : "returned" }, now);
  return withCall(answer, { id: `tool ${answer.parts.length}`, name, arguments: "", state: "called" }, now);
}
