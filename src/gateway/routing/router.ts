import type { Caller } from "../../keys/caller.ts";
import type { Ask } from "../ask.ts";
import type { Target } from "../targets.ts";

/** Which services may take a request, best first. */
export interface Choice {
  readonly services: readonly string[];
  /** Services of the route that were left out, each with why, for an error or a log: `window of 4096 tokens is too small for about 9000`. */
  readonly skipped: readonly { readonly service: string; readonly why: string }[];
}

/** How a try ended, as far as the service is to blame: a client that left or a 400 says nothing about it. */
export type TryOutcome = "answered" | "broken" | "unblamed";

/** Chooses among the services of a target. One instance sees all requests of a gateway process. */
export interface Router {
  /** At once unless the real tokenizer has to be asked. */
  choose(target: Target, ask: Ask, caller: Caller): Choice | Promise<Choice>;
  /** A try began on a service; the returned function tells how it ended, once. */
  began(service: string, ask: Ask): (outcome: TryOutcome, time: number) => void;
}
