import type { Admission } from "../admission/admission.ts";

/** Which services somebody waits for: workers that have tokens for these and do not use them are asked to return them. */
export class Contention {
  readonly #admission: Admission;
  readonly #tell: (service: string, on: boolean) => void;
  readonly #contended = new Set<string>();

  constructor(admission: Admission, tell: (service: string, on: boolean) => void) {
    this.#admission = admission;
    this.#tell = tell;
  }

  /** Those that a worker which begins has to know. */
  get services(): Iterable<string> {
    return this.#contended;
  }

  /** To be called when somebody began or ended to wait for these. */
  look(services: readonly string[]): void {
    for (const service of services) {
      const on = this.#admission.load(service).waiting > 0;
      if (on === this.#contended.has(service)) continue;
      if (on) this.#contended.add(service);
      else this.#contended.delete(service);
      this.#tell(service, on);
    }
  }
}
