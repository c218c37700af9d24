import type { Diagnostic } from "../core/index.ts";
import { CODES, messageOf } from "../core/index.ts";
import type { Reading } from "../watch/reading.ts";
import { measure } from "./learning.ts";
import type { RunningEngine } from "./running-engine.ts";
import type { ServiceKeeper } from "./service-keeper.ts";
import { cardsOf } from "./start-gate.ts";
import type { SupervisorOptions } from "./supervisor.ts";

/** Looks back at each start that succeeded: what it took, and whether it computes where it was meant to. */
export class StartReview {
  readonly #options: SupervisorOptions;
  /** Engines that were given cards and compute on the processor, by service. */
  readonly #onProcessor = new Map<string, Diagnostic>();

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** A new start: what was found about the one before counts no more. */
  starting(service: string): void {
    this.#onProcessor.delete(service);
  }

  findings(): readonly Diagnostic[] {
    return [...this.#onProcessor.values()];
  }

  /** The service answers; `before` is how the cards looked just before its start. */
  async ready(
    keeper: ServiceKeeper,
    { loadedIn, adopted }: { readonly loadedIn: number; readonly adopted: boolean },
    before: Reading | undefined,
  ): Promise<void> {
    const { engine } = keeper;
    if (engine === undefined) return;
    this.#lookAtProcessor(engine);
    const { measured, watch, cards = new Map(), events } = this.#options;
    if (adopted || measured === undefined) return;
    try {
      const measurement = await measure(engine, loadedIn, watch, cards, before);
      if (keeper.engine === engine) measured.record(measurement);
    } catch (error) {
      events.record({
        kind: "service.not-measured",
        severity: "warning",
        service: keeper.name,
        message: `What ${keeper.name} took could not be recorded: ${messageOf(error)}.`,
      });
    }
  }

  #lookAtProcessor({ service, driver, unit }: RunningEngine): void {
    const cards = cardsOf(service);
    const why = cards.length === 0 ? undefined : driver.onProcessorInstead(unit.lastLines());
    if (why === undefined) return;
    const { name } = service;
    const message = `${name} was given ${cards.join(", ")} and computes on the processor: ${why}`;
    const hint = CODES["engine.on-processor"].remedy;
    const code = "engine.on-processor";
    this.#onProcessor.set(name, { code, severity: "warning", path: `services.${name}`, message, hint });
    this.#options.events.record({
      kind: "service.on-processor",
      severity: "error",
      service: name,
      message: `${message} ${hint}`,
      data: { code },
    });
  }
}
