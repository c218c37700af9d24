/** What the gateway's speed is held against: ratios to nginx in the same run. */
type Figures = Readonly<Record<string, readonly number[]>>;

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? high) + high) / 2;
};

/** Median, least and greatest. */
export const range = (values: readonly number[], digits: number): string =>
  `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)})`;

interface Target {
  readonly what: string;
  readonly cell: string;
  readonly figure: string;
  readonly bound: number;
  readonly least?: boolean;
}

const TARGETS: readonly Target[] = [
  { what: "requests a second", cell: "JSON, 32 connections", figure: "rate", bound: 0.35, least: true },
  { what: "p50", cell: "JSON, 1 connection", figure: "p50", bound: 1.4 },
  { what: "CPU an event", cell: "64 streams, 5 ms gaps", figure: "cpu", bound: 1.8 },
  { what: "TTFT p99", cell: "64 streams, 5 ms gaps", figure: "p99", bound: 4 },
];

/** Figures of a run by cell and proxy, and whether they meet what is aimed at. */
export class Targets {
  readonly #figures = new Map<string, Figures>();

  note(cell: string, proxy: string, figures: Figures): void {
    this.#figures.set(`${cell}/${proxy}`, figures);
  }

  print(): void {
    console.log("\nOmni against nginx");
    for (const { what, cell, figure, bound, least = false } of TARGETS) {
      const own = this.#median(`${cell}/Omni`, figure);
      const ratio = own / this.#median(`${cell}/nginx`, figure);
      if (Number.isNaN(ratio)) continue;
      const met = least ? ratio >= bound : ratio <= bound;
      console.log(
        `  ${cell}, ${what}: ${ratio.toFixed(2)}, target ${least ? "at least" : "at most"} ${bound}: ${met ? "met" : "NOT MET"}`,
      );
    }
    this.#added();
    for (const streams of [1000, 5000]) {
      const [own, theirs] = ["Omni", "nginx"].map((name) =>
        this.#median(`memory/${name} at ${streams}`, "memory"),
      );
      if (own === undefined || theirs === undefined || Number.isNaN(own / theirs)) continue;
      console.log(
        `  memory of an idle stream at ${streams}: ${own.toFixed(1)} kB, nginx ${theirs.toFixed(1)} kB: ${own <= theirs ? "met" : "NOT MET"}`,
      );
    }
    this.#ahead();
  }

  /** What the way through Omni adds at a rate that all can keep. */
  #added(): void {
    const cell = "JSON, 1000 a second";
    for (const name of ["nginx", "Omni"]) {
      const [p50, p99] = ["p50", "p99"].map(
        (figure) => this.#median(`${cell}/${name}`, figure) - this.#median(`${cell}/direct`, figure),
      );
      if (p50 === undefined || p99 === undefined || Number.isNaN(p50)) continue;
      console.log(`  ${cell}, added by ${name}: p50 ${p50.toFixed(0)} µs, p99 ${p99.toFixed(0)} µs`);
    }
  }

  /** Whether every figure is better than Portkey's, where it was measured. */
  #ahead(): void {
    for (const [place, figures] of this.#figures) {
      if (!place.endsWith("/Portkey")) continue;
      const cell = place.slice(0, -"/Portkey".length);
      for (const figure of Object.keys(figures)) {
        const ratio = this.#median(`${cell}/Omni`, figure) / this.#median(place, figure);
        const ahead = figure === "rate" ? ratio > 1 : ratio < 1;
        // That is set by the pace; Portkey does not even pass the wish for gaps on to the stub.
        if (figure === "rate" && /a second|ms gaps/.test(cell)) continue;
        console.log(
          `  ${cell}, ${figure} against Portkey: ${ratio.toFixed(2)}: ${ahead ? "ahead" : "BEHIND"}`,
        );
      }
    }
  }

  #median(place: string, figure: string): number {
    return median(this.#figures.get(place)?.[figure] ?? []);
  }
}
