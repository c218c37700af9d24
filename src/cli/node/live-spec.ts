import type { Plan } from "../../plan/index.ts";
import type { LocatedSpec } from "../node-spec.ts";
import { NOTHING_LOST } from "./plan-here.ts";
import type { Circumstances, PlanGround } from "./plan-here.ts";
import type { PlanAgain } from "./replanner.ts";

/** What a node runs by, as long as no other spec is taken over. */
export interface SpecInForce {
  readonly located: LocatedSpec;
  /** The plan that the owner's spec gave when nothing was lost. */
  readonly plan: Plan;
  readonly planAgain: PlanAgain;
  /** What the plan stands on beside the spec. */
  readonly ground: PlanGround;
}

/** The spec in force, for parts that live longer than it. */
export class LiveSpec {
  #now: SpecInForce;
  #circumstances = NOTHING_LOST;
  /** Reads as the spec in force whenever it is looked into. */
  readonly located: LocatedSpec;

  constructor(first: SpecInForce) {
    this.#now = first;
    const now = (): LocatedSpec => this.#now.located;
    this.located = {
      get spec() {
        return now().spec;
      },
      get folder() {
        return now().folder;
      },
      get origin() {
        return now().origin;
      },
      get warnings() {
        return now().warnings;
      },
      get text() {
        return now().text;
      },
      get typed() {
        return now().typed;
      },
      locate: (path) => now().locate(path),
    };
  }

  get plan(): Plan {
    return this.#now.plan;
  }

  get ground(): PlanGround {
    return this.#now.ground;
  }

  /** What was lost when the plan was last made in need. */
  get circumstances(): Circumstances {
    return this.#circumstances;
  }

  readonly planAgain: PlanAgain = (spec, circumstances) => {
    this.#circumstances = circumstances;
    return this.#now.planAgain(spec, circumstances);
  };

  /** Takes over another spec; the returned function takes that back. */
  replace(next: SpecInForce): () => void {
    const before = this.#now;
    this.#now = next;
    return () => {
      this.#now = before;
    };
  }
}
