import { formatCount } from "../../core/index.ts";
import type { RouteCandidate } from "../../plan/plan.ts";
import type { Diversion, ServiceView } from "../../supervisor/backends.ts";
import type { Operation } from "../ask.ts";
import type { Circumstances } from "./conditions.ts";
import { meets } from "./conditions.ts";
import { lacks } from "./needs.ts";
import type { Skipped } from "./router.ts";
import { standIn } from "./stand-in.ts";
import type { TokenBounds } from "./token-bounds.ts";
import { exceeds } from "./token-bounds.ts";

/** A request as candidates are judged by it. */
export interface Question extends Circumstances {
  readonly operation: Operation;
  readonly tokens: TokenBounds;
  /** The same as a service of this model sees it. */
  tokensFor(model: string): TokenBounds;
  /** Whether the prompt's length is to be compared with windows. */
  readonly hasLength: boolean;
  /** Tokens that the client wants to have room for, if it says so. */
  readonly answer: number | undefined;
  readonly viewOf: (service: string) => ServiceView | undefined;
  readonly diversionOf: ((service: string) => Diversion | undefined) | undefined;
}

/** A service that may take a request. */
export interface Eligible {
  readonly service: string;
  readonly weight: number;
  readonly view: ServiceView | undefined;
  /** The prompt fits, and perhaps not the whole answer that the client allows: only when nobody has more room. */
  readonly tight: boolean;
  /** Of the candidate that it is, or stands in for. */
  readonly maxConcurrent?: number;
}

export interface Judgement {
  /** In the route's order; no service twice. */
  readonly eligible: readonly Eligible[];
  readonly skipped: readonly Skipped[];
  /** What depends on the prompt's length and could not be decided by its bounds. */
  readonly unsure: "nothing" | "fit" | "choice";
}

/** Room for an answer of which nobody said how long it may be. */
export const SMALL_ANSWER = 256;

/** Looks at each candidate of a route: may it take this request, and has it room? Doubts are decided by the cautious guess. */
export function judge(candidates: readonly RouteCandidate[], question: Question): Judgement {
  const eligible: Eligible[] = [];
  const skipped: Skipped[] = [];
  let unsure: Judgement["unsure"] = "nothing";
  for (const candidate of candidates) {
    if (candidate.when !== undefined) {
      const met = meets(candidate.when, question.tokens, question);
      if (met === undefined) unsure = "choice";
      const why = met ?? guessed(candidate, question);
      if (why !== true) {
        skipped.push({ service: candidate.service, why, because: "condition" });
        continue;
      }
    }
    const stand = standInFor(candidate.service, question);
    if (stand.unsure) unsure = "choice";
    if (eligible.some(({ service }) => service === stand.service)) continue;
    const view = question.viewOf(stand.service);
    const refusal = refuses(stand.service, view, question);
    if (refusal !== undefined) {
      if (!skipped.some(({ service }) => service === stand.service)) skipped.push(refusal);
      continue;
    }
    const room = roomFor(view, question);
    if (room === "unsure" && unsure === "nothing") unsure = "fit";
    eligible.push({
      service: stand.service,
      weight: candidate.weight,
      view,
      tight: room === "tight" || (room === "unsure" && guessOver(view, question)),
      ...(candidate.maxConcurrent === undefined ? {} : { maxConcurrent: candidate.maxConcurrent }),
    });
  }
  return { eligible, skipped, unsure };
}

const standInFor = (service: string, { diversionOf, tokens }: Question): ReturnType<typeof standIn> =>
  diversionOf === undefined ? { service, unsure: false } : standIn(service, tokens, diversionOf);

/** A condition on the prompt's length that its bounds do not decide, by the cautious guess. */
function guessed({ when }: RouteCandidate, question: Question): true | string {
  const { likely } = question.tokens;
  const guess = { least: likely, most: likely, likely };
  return when === undefined ? true : (meets(when, guess, question) ?? true);
}

function refuses(service: string, view: ServiceView | undefined, question: Question): Skipped | undefined {
  if (view === undefined) return undefined;
  const { capabilities, contextTokens } = view;
  if (capabilities !== undefined) {
    const missing = lacks(capabilities, question.needs(), question.operation);
    if (missing.length > 0) {
      return { service, why: `it does not offer ${missing.join(" and ")}`, because: "needs" };
    }
  }
  if (!question.hasLength || contextTokens <= 0) return undefined;
  // At least one token of the answer must have room.
  const tokens = question.tokensFor(view.model);
  if (exceeds(tokens, contextTokens - 1) !== true) return undefined;
  const { least, most } = tokens;
  const needed = `${least === most ? "" : "at least "}${formatCount(least + 1)} tokens`;
  return { service, why: `needs ${needed}, window ${formatCount(contextTokens)}`, because: "window" };
}

/** Whether prompt and answer have room, as far as the bounds tell. */
function roomFor(view: ServiceView | undefined, question: Question): "enough" | "tight" | "unsure" {
  if (!question.hasLength || view === undefined || view.contextTokens <= 0) return "enough";
  const over = exceeds(question.tokensFor(view.model), windowLeft(view, question));
  return over === undefined ? "unsure" : over ? "tight" : "enough";
}

const guessOver = (view: ServiceView | undefined, question: Question): boolean =>
  view !== undefined && question.tokensFor(view.model).likely > windowLeft(view, question);

/** Tokens of a window that are left for the prompt. */
const windowLeft = ({ contextTokens }: ServiceView, { answer }: Question): number =>
  contextTokens - (answer ?? Math.min(SMALL_ANSWER, contextTokens >> 3));
