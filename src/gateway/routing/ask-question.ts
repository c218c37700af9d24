import type { IncomingHttpHeaders } from "node:http";

import type { Caller } from "../../keys/caller.ts";
import type { RouteNeed } from "../../plan/plan.ts";
import type { Diversion, ServiceView } from "../../supervisor/backends.ts";
import type { Ask, Operation } from "../ask.ts";
import type { Question } from "./judge.ts";
import { needsOf } from "./needs.ts";
import { answerLimit, hasLength } from "./prompt-size.ts";
import type { TokenBounds } from "./token-bounds.ts";

/** What the node knows while a request is judged. */
export interface Surroundings {
  readonly viewOf: (service: string) => ServiceView | undefined;
  readonly diversionOf: ((service: string) => Diversion | undefined) | undefined;
  /** Minutes after midnight, local time of the node. */
  readonly minutes: () => number;
}

/** A request as candidates are judged by it; what costs something is found out when it is first asked for. */
export class AskQuestion implements Question {
  readonly operation: Operation;
  readonly headers: IncomingHttpHeaders;
  readonly key: string;
  readonly hasLength: boolean;
  readonly viewOf: Surroundings["viewOf"];
  readonly diversionOf: Surroundings["diversionOf"];
  readonly minutes: () => number;
  tokens: TokenBounds;
  /** The model whose tokenizer gave `tokens`, and what they were before. */
  counted: { readonly model: string; readonly before: TokenBounds } | undefined;
  readonly #ask: Ask;
  #needs: readonly RouteNeed[] | undefined;
  #answer: number | undefined | "unread" = "unread";

  constructor(ask: Ask, caller: Caller, tokens: TokenBounds, { viewOf, diversionOf, minutes }: Surroundings) {
    this.#ask = ask;
    this.operation = ask.operation;
    this.headers = ask.headers;
    this.key = caller.key;
    this.hasLength = hasLength(ask);
    this.viewOf = viewOf;
    this.diversionOf = diversionOf;
    this.minutes = minutes;
    this.tokens = tokens;
  }

  needs(): readonly RouteNeed[] {
    this.#needs ??= needsOf(this.#ask);
    return this.#needs;
  }

  get answer(): number | undefined {
    if (this.#answer === "unread") this.#answer = answerLimit(this.#ask);
    return this.#answer;
  }

  /** Another model's count is a good guess and no bound. */
  tokensFor(model: string): TokenBounds {
    const { counted, tokens } = this;
    if (counted === undefined || counted.model === model) return tokens;
    return { ...counted.before, likely: tokens.likely };
  }
}
