import type { EventLog } from "../../core/index.ts";
import type { PlannedService } from "../../plan/plan.ts";
import type { LadderView } from "../backends.ts";
import type { Clock } from "../clock.ts";
import { effectiveService, isDiversion, usefulRungs } from "./effective-service.ts";
import type { Effective } from "./effective-service.ts";
import { stepLadder } from "./ladder-machine.ts";
import { describeLadder, ladderView } from "./ladder-note.ts";
import { AS_PLANNED } from "./ladder-state.ts";
import type { LadderInput, LadderRules, LadderState } from "./ladder-state.ts";

export interface LadderEffects {
  readonly clock: Clock;
  readonly events: EventLog;
  readonly onChange: (service: string, effective: Effective) => void;
  readonly evict: (service: string, by: string) => void;
  readonly restore: (service: string, by: string) => void;
}

/** The ladder of one service: the one writer of its state. */
export class LadderService {
  readonly planned: PlannedService;
  readonly rules: LadderRules;
  readonly #effects: LadderEffects;
  #state: LadderState;
  #since: number;
  /** It holds its memory. */
  loaded: boolean;

  constructor(
    planned: PlannedService,
    rules: Omit<LadderRules, "rungs">,
    effects: LadderEffects,
    before?: LadderService,
  ) {
    this.planned = planned;
    this.rules = { ...rules, rungs: usefulRungs(planned) };
    this.#effects = effects;
    this.#state = before?.state ?? AS_PLANNED;
    this.#since = before?.since ?? effects.clock.wall();
    this.loaded = before?.loaded ?? false;
  }

  get state(): LadderState {
    return this.#state;
  }

  /** Milliseconds since the epoch of the last change. */
  get since(): number {
    return this.#since;
  }

  get view(): LadderView | undefined {
    return ladderView(this.#state, this.rules, this.#since);
  }

  get effective(): Effective {
    return effectiveService(this.planned, this.#state.rung);
  }

  get priority(): number {
    return this.planned.lifecycle?.priority ?? 5;
  }

  isOn(device: string): boolean {
    return (
      this.planned.devices.includes(device) ||
      this.planned.memory.some((terms) => terms.device === device && terms.total > 0)
    );
  }

  /** Bytes that it should hold on a device now, as far as the plan knows; 0 while it is not loaded. */
  takes(device: string): number {
    if (!this.loaded) return 0;
    const terms = this.effective.service.memory.find((terms) => terms.device === device);
    return terms?.total ?? 0;
  }

  /** What happens on a device matters to a service that is there, or whose steps free or take memory there. */
  concerns(device: string): boolean {
    return (
      this.isOn(device) ||
      this.rules.rungs.some((rung) => rung.frees.some((freed) => freed.device === device))
    );
  }

  /** Nothing would follow from a look: it is as planned, or what is free says nothing because it is not loaded. */
  get isSettled(): boolean {
    const { rung, climbedAt } = this.#state;
    if (rung === 0 && climbedAt === undefined) return true;
    return !this.loaded && !this.rules.rungs.slice(0, rung).some(isDiversion);
  }

  /** True when the service is to run differently from now on; `changed` is called before anyone is told so. */
  send(input: LadderInput, changed: () => void): boolean {
    const { clock, events, onChange, evict, restore } = this.#effects;
    const { name } = this.planned;
    const step = stepLadder(this.#state, input, clock.elapsed(), this.rules);
    this.#state = step.state;
    if (step.change !== undefined) this.#since = clock.wall();
    for (const note of step.notes) events.record(describeLadder(name, note, step.state, this.rules));
    if (step.change === undefined) return false;
    changed();
    const { from, to } = step.change;
    const away = this.#awayAt(from);
    const next = this.#awayAt(to);
    for (const service of next) if (!away.includes(service)) evict(service, name);
    onChange(name, effectiveService(this.planned, to, from));
    for (const service of away) if (!next.includes(service)) restore(service, name);
    return true;
  }

  /** Takes back everything that it asked of others; its own state goes with it. */
  forget(): void {
    for (const service of this.#awayAt(this.#state.rung)) this.#effects.restore(service, this.planned.name);
  }

  /** Who is unloaded at a rung: those that make room, and itself where its requests go elsewhere. */
  #awayAt(rung: number): readonly string[] {
    const taken = this.rules.rungs.slice(0, rung);
    const { name } = this.planned;
    return [
      ...new Set(taken.flatMap((step) => [...(step.unloads ?? []), ...(isDiversion(step) ? [name] : [])])),
    ];
  }
}
