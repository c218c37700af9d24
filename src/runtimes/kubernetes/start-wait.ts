import { OmniError } from "../../core/index.ts";
import type { StartProgress } from "../runtime.ts";
import type { EngineLines } from "./engine-lines.ts";
import type { Pod } from "./pod.ts";
import { troubleOf } from "./pod-trouble.ts";

export interface StartWaitOptions {
  readonly service: string;
  /** Milliseconds from the first obstacle on, before the start has failed. */
  readonly patience: number;
  readonly onProgress: ((progress: StartProgress) => void) | undefined;
  readonly lines: EngineLines;
  readonly onFailed: (error: OmniError) => void;
}

/** The time between the apply and the engine's process: what the cluster waits for is told, and some of it ends the start. */
export class StartWait {
  readonly #options: StartWaitOptions;
  #patience: NodeJS.Timeout | undefined;
  #obstacle = "";
  #told = "";

  constructor(options: StartWaitOptions) {
    this.#options = options;
  }

  /** How it stands: the newest pod if there is one, and why its controller cannot make one. */
  look(pod: Pod | undefined, failure: string | undefined): void {
    const trouble = pod === undefined ? undefined : troubleOf(pod);
    if (trouble?.fatal !== undefined) {
      const hint = trouble.hint === undefined ? {} : { hint: trouble.hint };
      this.#fail(new OmniError(trouble.fatal, `${this.#options.service}: ${trouble.message}`, hint));
      return;
    }
    const obstacle = trouble?.message ?? failure;
    if (obstacle !== undefined) this.#meet(obstacle);
    // A pull takes as long as it takes: only an obstacle costs patience.
    else if (pod !== undefined) this.end();
    this.tell(obstacle ?? waitingWords(pod));
  }

  /** Tells the owner, once for the same words. */
  tell(message: string): void {
    if (message === this.#told) return;
    this.#told = message;
    this.#options.onProgress?.({ message });
  }

  /** It waits no longer. */
  end(): void {
    clearTimeout(this.#patience);
    this.#patience = undefined;
  }

  #meet(obstacle: string): void {
    if (this.#obstacle !== obstacle) this.#options.lines.say(obstacle);
    this.#obstacle = obstacle;
    const { patience, service } = this.#options;
    this.#patience ??= setTimeout(() => {
      const words = `${service} has no pod that runs after ${Math.round(patience / 1000)} s: ${this.#obstacle}`;
      const hint = "Make room or take away what holds it; kubectl describe pod shows the whole story.";
      this.#fail(new OmniError("engine.not-started", words, { hint }));
    }, patience);
  }

  #fail(error: OmniError): void {
    this.end();
    this.#options.onFailed(error);
  }
}

function waitingWords(pod: Pod | undefined): string {
  if (pod === undefined) return "waiting for the cluster to make its pod";
  if (pod.node === "") return `the pod ${pod.name} waits for a place`;
  return `the pod ${pod.name} is being made on ${pod.node}`;
}
