import type { Plan } from "../../plan/index.ts";
import type { LocatedSpec } from "../node-spec.ts";
import type { PlanAgain } from "./replanner.ts";

/** What a node runs by, as long as no other spec is taken over. */
export interface SpecInForce {
  readonly located: LocatedSpec;
  /** The plan that the owner's spec gave when nothing was lost. */
  readonly plan: Plan;
  readonly planAgain: PlanAgain;
}

/** The spec in force, for parts that live longer than it. */
export class LiveSpec {
  #now: SpecInForce;
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
      get typed() {
        return now().typed;
      },
      locate: (path) => now().locate(path),
    };
  }

  get plan(): Plan {
    return this.#now.plan;
  }

  readonly planAgain: PlanAgain = (spec, circumstances) => this.#now.planAgain(spec, circumstances);

  /** Takes over another spec; the returned function takes that back. */
  replace(next: SpecInForce): () => void {
    const before = this.#now;
    this.#now = next;
    return () => {
      this.#now = before;
    };
  }
}
