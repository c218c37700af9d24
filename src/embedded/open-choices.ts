import type { ServerResponse } from "node:http";
import type { Generation } from "./generation.ts";
import { sendError } from "./http.ts";

/** The choices of one answer that are not finished yet, with the generations behind them. */
export class OpenChoices {
  readonly #response: ServerResponse;
  #generations: readonly Generation[] = [];
  #open: number;

  constructor(response: ServerResponse, choices: number) {
    this.#response = response;
    this.#open = choices;
  }

  get generations(): readonly Generation[] {
    return this.#generations;
  }

  attach(generations: readonly Generation[]): void {
    this.#generations = generations;
  }

  /** Counts one choice as finished; true for the last. */
  finish(): boolean {
    return --this.#open === 0;
  }

  /** One choice failed: nobody waits for the others, and the client is told. */
  readonly fail = (error: unknown): void => {
    for (const generation of this.#generations) generation.cancel();
    sendError(this.#response, error);
  };
}
