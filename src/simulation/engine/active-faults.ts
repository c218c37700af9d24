import type { Fault, FaultName } from "../faults/fault.ts";

interface Active {
  readonly fault: Fault;
  readonly from: number;
  readonly until: number;
  left: number;
}

/** The faults that an engine has now; by the clock of this process. */
export class ActiveFaults {
  #active: Active[] = [];
  readonly #changed = new Set<() => void>();
  readonly #timers = new Set<NodeJS.Timeout>();

  /** Takes a fault; `begin` is called when its time has come, at once unless it has an `after`. */
  add(fault: Fault, begin: (fault: Fault) => void = () => {}): void {
    const from = performance.now() + (fault.after ?? 0);
    const until = fault.for === undefined ? Number.POSITIVE_INFINITY : from + fault.for;
    this.#active.push({ fault, from, until, left: fault.requests ?? Number.POSITIVE_INFINITY });
    if (fault.after === undefined) begin(fault);
    else this.#later(fault.after, () => begin(fault));
    if (fault.for !== undefined) this.#later((fault.after ?? 0) + fault.for, () => {});
    this.#tell();
  }

  /** Ends all of them. */
  heal(): void {
    this.#active = [];
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#tell();
  }

  /** The fault of that name, if there is one now. */
  find(name: FaultName): Fault | undefined {
    return this.#current(name)?.fault;
  }

  /** The same for something that meets a request, and is used up by it where it is bounded. */
  take(name: FaultName): Fault | undefined {
    const active = this.#current(name);
    if (active !== undefined) active.left -= 1;
    return active?.fault;
  }

  /** Is called when a fault came or went; returns the function that ends this. */
  onChange(listener: () => void): () => void {
    this.#changed.add(listener);
    return () => this.#changed.delete(listener);
  }

  #current(name: FaultName): Active | undefined {
    const now = performance.now();
    return this.#active.findLast(
      ({ fault, from, until, left }) => fault.name === name && from <= now && now < until && left > 0,
    );
  }

  #later(delay: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
      this.#tell();
    }, delay);
    this.#timers.add(timer);
  }

  #tell(): void {
    for (const listener of this.#changed) listener();
  }
}
