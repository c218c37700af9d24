/** What came together of one subject in one step of time. */
export interface SampleRow {
  readonly subject: string;
  /** Milliseconds since the epoch at which the step begins. */
  readonly time: number;
  /** Looks that told values. */
  readonly n: number;
  /** How many looks something was so at. */
  readonly marks: Readonly<Record<string, number>>;
  readonly figures: Readonly<Record<string, Figure>>;
}

/** Weighted by the looks that told it. */
export interface Figure {
  readonly average: number;
  readonly min: number;
  readonly max: number;
}

interface Running {
  sum: number;
  count: number;
  min: number;
  max: number;
}

/** Gathers looks at one subject. A figure that a look did not tell does not count for it. */
export class SampleTally {
  #n = 0;
  readonly #marks: Record<string, number> = {};
  readonly #figures = new Map<string, Running>();

  /** `figures` is absent where the look told nothing of now. */
  add(
    marks: Readonly<Record<string, boolean>>,
    figures?: Readonly<Record<string, number | undefined>>,
  ): void {
    for (const [name, so] of Object.entries(marks))
      this.#marks[name] = (this.#marks[name] ?? 0) + (so ? 1 : 0);
    if (figures === undefined) return;
    this.#n++;
    for (const [name, value] of Object.entries(figures)) {
      if (value === undefined || !Number.isFinite(value)) continue;
      const running = this.#figures.get(name) ?? { sum: 0, count: 0, min: Infinity, max: -Infinity };
      running.sum += value;
      running.count++;
      running.min = Math.min(running.min, value);
      running.max = Math.max(running.max, value);
      this.#figures.set(name, running);
    }
  }

  row(subject: string, time: number): SampleRow {
    const figures = [...this.#figures].map(([name, { sum, count, min, max }]) => [
      name,
      { average: sum / count, min, max },
    ]);
    return { subject, time, n: this.#n, marks: { ...this.#marks }, figures: Object.fromEntries(figures) };
  }
}
