/**
 * What a choice costs, in nanoseconds of processor time: `node bench/routing.ts [rounds]`. Medians of rounds that take turns, so that a busy
 * machine disturbs all rows alike.
 */
import { ANYBODY, RoutingNode, chatOf, rulesOf, viewOf } from "../test/fakes/routing-node.ts";
import type { Ask } from "../src/gateway/ask.ts";
import { createRouter } from "../src/gateway/routing/create-router.ts";
import type { Target } from "../src/gateway/targets.ts";

const CALLS = 20_000;
const rounds = Number(process.argv[2] ?? 15);

const replicas = Array.from({ length: 8 }, (_, at) => `oracle-${at}`);
const node = new RoutingNode([
  ...replicas.map((name) => viewOf(name, { parallel: 8, contextTokens: 131_072 })),
  viewOf("other", { model: "other", contextTokens: 131_072 }),
  viewOf("able", { model: "able", contextTokens: 131_072, capabilities: ["chat", "tools"] }),
]);

const target = (...given: Parameters<typeof rulesOf>): Target => {
  const rules = rulesOf(...given);
  return { route: rules.route, services: rules.candidates.map(({ service }) => service), rules };
};

/** Asks are taken in turn, as requests are: nothing is remembered of one. */
const asksOf = (bytes: number): readonly Ask[] =>
  Array.from({ length: 256 }, (_, at) => chatOf(`${at} ${"some words of a prompt ".repeat(bytes / 23)}`));

interface Row {
  readonly name: string;
  readonly target: Target;
  readonly asks: readonly Ask[];
  readonly begins: boolean;
}

const one = target(["oracle-0"]);
const prefix = target(replicas, { sticky: "prefix" });
const ROWS: readonly Row[] = [
  {
    name: "one that says what it offers, 2 KB",
    target: target(["able"]),
    asks: asksOf(2_000),
    begins: false,
  },
  { name: "one service, 2 KB", target: one, asks: asksOf(2_000), begins: false },
  { name: "one service, 8 KB", target: one, asks: asksOf(8_000), begins: false },
  {
    name: "two ordered, 2 KB",
    target: target(["oracle-0", "other"], { sticky: "prefix" }),
    asks: asksOf(2_000),
    begins: false,
  },
  { name: "8 replicas by prefix, 2 KB", target: prefix, asks: asksOf(2_000), begins: false },
  {
    name: "8 replicas by prefix, 2 KB, with began and ended",
    target: prefix,
    asks: asksOf(2_000),
    begins: true,
  },
  { name: "8 replicas by prefix, 32 KB", target: prefix, asks: asksOf(32_000), begins: false },
  {
    name: "8 least-loaded, 2 KB",
    target: target(replicas, { strategy: "least-loaded" }),
    asks: asksOf(2_000),
    begins: false,
  },
  {
    name: "8 weighted, 2 KB",
    target: target(replicas, { strategy: "weighted" }),
    asks: asksOf(2_000),
    begins: false,
  },
];

function measure({ target, asks, begins }: Row): number {
  const router = createRouter({ backends: node });
  const started = process.cpuUsage();
  for (let at = 0; at < CALLS; at++) {
    const ask = { ...(asks[at % asks.length] ?? chatOf("")) };
    const choice = router.choose(target, ask, ANYBODY);
    if (choice instanceof Promise) throw new Error("a choice had to wait");
    if (begins) router.began(choice.services[0] ?? "", ask)("answered", 1);
  }
  const { user, system } = process.cpuUsage(started);
  return ((user + system) * 1000) / CALLS;
}

const times = new Map<string, number[]>(ROWS.map(({ name }) => [name, []]));
for (let round = 0; round < rounds; round++) for (const row of ROWS) times.get(row.name)?.push(measure(row));
for (const [name, all] of times) {
  const sorted = all.toSorted((a, b) => a - b);
  const [least, median] = [sorted[0] ?? 0, sorted[sorted.length >> 1] ?? 0];
  console.log(`${name.padEnd(52)} ${median.toFixed(0).padStart(7)} ns (least ${least.toFixed(0)})`);
}
