import type { Answer, AnswerPart } from "../answer.ts";
import type { JsonObject } from "../dialect.ts";
import { answerId, partId } from "../identity.ts";
import type { AnswerIdentity } from "../translation.ts";
import { responsesUsage } from "../usage-members.ts";
import type { ItemStatus, ReasoningPlace } from "./output-items.ts";
import {
  callItem,
  messageItem,
  reasoningItem,
  reasoningPlace,
  refusalPart,
  textPart,
} from "./output-items.ts";
import { redactedContent, signatureContent } from "./proof.ts";
import { openResponse, responseEnd } from "./response-object.ts";

/** An answer as a whole response; `request` is the client's own. */
export function writeResponsesAnswer(
  answer: Answer,
  request: JsonObject,
  identity?: AnswerIdentity,
): JsonObject {
  const id = answerId("resp_", answer.id, identity);
  const created = identity?.created ?? answer.created;
  const end = responseEnd(answer.finish);
  return {
    ...openResponse({ id, model: answer.model, created }, request),
    ...end,
    output: outputItems(answer.parts, id, end.status, reasoningPlace(request)),
    usage: responsesUsage(answer.usage),
  };
}

function outputItems(
  parts: readonly AnswerPart[],
  id: string,
  end: ItemStatus,
  place: ReasoningPlace,
): JsonObject[] {
  return grouped(parts).map((group, index, all) => {
    const status = index === all.length - 1 ? end : "completed";
    const [part] = group;
    switch (part.type) {
      case "text":
      case "refusal":
        return messageItem(partId("msg_", id, index), status, group.map(contentPart));
      case "reasoning": {
        const { text, signature } = part;
        const proof = signature === undefined || signature === "" ? undefined : signatureContent(signature);
        return reasoningItem(partId("rs_", id, index), status, place, text, proof);
      }
      case "redacted":
        return reasoningItem(partId("rs_", id, index), status, place, "", redactedContent(part.data));
      case "call":
        return callItem(partId("fc_", id, index), status, part);
    }
  });
}

type Group = readonly [AnswerPart, ...AnswerPart[]];

const isSaid = (part: AnswerPart): boolean => part.type === "text" || part.type === "refusal";

/** Texts that follow each other are one message of the output. */
function grouped(parts: readonly AnswerPart[]): Group[] {
  const groups: [AnswerPart, ...AnswerPart[]][] = [];
  for (const part of parts) {
    const last = groups.at(-1);
    if (last !== undefined && isSaid(part) && isSaid(last[0])) last.push(part);
    else groups.push([part]);
  }
  return groups;
}

function contentPart(part: AnswerPart): JsonObject {
  if (part.type === "refusal") return refusalPart(part.text);
  return textPart(part.type === "text" ? part.text : "");
}
