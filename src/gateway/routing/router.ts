import type { Caller } from "../../keys/caller.ts";
import type { Ask } from "../ask.ts";
import type { Target } from "../targets.ts";
import type { TokenBounds } from "./token-bounds.ts";

/** A service that was left out, and why. */
export interface Skipped {
  readonly service: string;
  readonly why: string;
  /** What kind of reason it is, for the code of an error. */
  readonly because: "window" | "needs" | "condition" | "ejected";
}

/** How many requests of a route may be at a service at the same time. */
export interface RouteBound {
  /** Name in the spec; aliases share it. */
  readonly route: string;
  readonly limit: number;
}

/** Which services may take a request, best first. */
export interface Choice {
  readonly services: readonly string[];
  /** Services of the route that were left out, each with why, for an error or a log: `needs at least 41 200 tokens, window 32 768`. */
  readonly skipped: readonly Skipped[];
  /** By service, only those that have one. */
  readonly bounds?: ReadonlyMap<string, RouteBound>;
  /** What is known of the prompt's length; as exact as the choice needed it. */
  readonly tokens?: TokenBounds;
}

/** How a try ended, as far as the service is to blame: a client that left or a 400 says nothing about it. */
export type TryOutcome = "answered" | "broken" | "unblamed";

/** Chooses among the services of a target. One instance sees all requests of a gateway process. */
export interface Router {
  /** At once unless the real tokenizer has to be asked. */
  choose(target: Target, ask: Ask, caller: Caller): Choice | Promise<Choice>;
  /** A try began on a service; the returned function tells how it ended, once. `time` is milliseconds. */
  began(service: string, ask: Ask): (outcome: TryOutcome, time: number) => void;
}
