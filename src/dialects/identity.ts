import type { AnswerIdentity } from "./translation.ts";

const PREFIX = /^(?:chatcmpl|cmpl|msg|resp)[-_]/;

/** The part of an engine's id that tells its answers apart, without the prefix of its dialect. */
const ownPart = (id: string): string => id.replace(PREFIX, "").replaceAll(/[^\w-]/g, "_") || "0";

/** The id of an answer in a dialect whose ids begin with `prefix`: the one that was given, or made of the engine's own. */
export const answerId = (prefix: string, engineId: string, identity: AnswerIdentity | undefined): string =>
  identity?.id ?? prefix + ownPart(engineId);

/** The id of the part of an answer at `index`; the same for whole answers and streams. */
export const partId = (prefix: string, id: string, index: number): string =>
  `${prefix}${ownPart(id)}_${index}`;
