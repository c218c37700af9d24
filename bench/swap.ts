import { playLoad } from "../test/fakes/mixed-load.ts";
import type { MixedLoad, Outcome } from "../test/fakes/mixed-load.ts";

/** Swaps and waits under mixed load in virtual time: Omni's residency beside a plain cache of models. */
const MINUTE = 60_000;
const SWAP = { minResidency: MINUTE, ttl: 10 * MINUTE, maxWait: 5 * MINUTE };
const base = { time: 8 * 60 * MINUTE, swap: SWAP };

const one = (loadTime: number) => (name: string) => ({ name, devices: ["gpu0"], loadTime });
const names = ["a", "b", "c"];

const LOADS: Readonly<Record<string, MixedLoad>> = {
  "two models, 30 s loads, alternating": {
    ...base,
    services: ["a", "b"].map(one(30_000)),
    sets: [{ services: ["a", "b"], standing: "a" }],
    streams: ["a", "b"].map((name) => ({ services: [name], perMinute: 4, takes: 5000 })),
  },
  "two models, 30 s loads, rare second": {
    ...base,
    services: ["a", "b"].map(one(30_000)),
    sets: [{ services: ["a", "b"], standing: "a" }],
    streams: [
      { services: ["a"], perMinute: 12, takes: 8000 },
      { services: ["b"], perMinute: 0.2, takes: 5000 },
    ],
  },
  "three models, 20 s loads, one busy": {
    ...base,
    services: names.map(one(20_000)),
    sets: [{ services: names, standing: "a" }],
    streams: [
      { services: ["a"], perMinute: 30, takes: 6000 },
      { services: ["b"], perMinute: 1, takes: 5000 },
      { services: ["c"], perMinute: 1, takes: 5000 },
    ],
  },
  "LLM with a fallback, image jobs": {
    ...base,
    services: [...["llm", "images"].map(one(40_000)), { name: "small", devices: ["cpu"], loadTime: 5000 }],
    sets: [{ services: ["llm", "images"], standing: "llm" }],
    streams: [
      { services: ["llm", "small"], perMinute: 10, takes: 6000 },
      { services: ["images"], perMinute: 0.3, takes: 30_000 },
    ],
  },
};

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(1).padStart(7);

function row(maker: string, outcome: Outcome): string {
  const waits = [...outcome.waits]
    .toSorted(([one], [other]) => one.localeCompare(other))
    .map(([service, all]) => {
      const sorted = all.toSorted((one, other) => one - other);
      return `${service} ${seconds(at(sorted, 0.5))}/${seconds(at(sorted, 0.99))}`;
    });
  return `  ${maker.padEnd(5)} ${outcome.swapsPerHour.toFixed(1).padStart(6)} ${String(outcome.answered).padStart(8)} ${String(outcome.gaveUp).padStart(7)} ${(outcome.firstChoice * 100).toFixed(1).padStart(8)} %   ${waits.join("  ")}`;
}

for (const [title, load] of Object.entries(LOADS)) {
  console.log(`${title}\n        swaps/h answered gave up 1st choice   wait p50/p99 s by first choice`);
  for (const maker of ["omni", "lru"] as const) console.log(row(maker, playLoad(load, maker)));
}
