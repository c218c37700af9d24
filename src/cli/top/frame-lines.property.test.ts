import fc from "fast-check";
import { expect, it } from "vitest";
import { nodeState, serviceNamed } from "../../../test/fakes/top-state.ts";
import { columnsOfLine, textOf } from "./line.ts";
import { frameLines, printedLines } from "./frame-lines.ts";
import { withSelection } from "./press-key.ts";
import { topModel } from "./top-model.ts";
import type { Link, TopModel } from "./top-model.ts";
import type { TopView } from "./top-view.ts";

/** What a terminal could take for more than a character. */
const ORDERS = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u;
const HOSTILE = [
  "a\u001B[2J\u001B]0;x\u0007",
  "\u202Eevil",
  "模型🎉e\u0301",
  "line\nbreak\ttab",
  "x".repeat(300),
];

/** Any code points, halves of pairs as well; letters of all scripts; what was made to do harm. */
const word = fc.oneof(
  fc.array(fc.nat(0x10_ff_ff), { maxLength: 30 }).map((points) => String.fromCodePoint(...points)),
  fc.string({ unit: "grapheme" }),
  fc.constantFrom(...HOSTILE),
);
const share = fc.double({ min: 0, max: 1, noNaN: true });
const bytes = fc.nat(2 ** 31);
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

const ladder = fc.record({
  rung: fc.nat(9),
  changes: fc.array(word),
  because: word,
  since: fc.nat(),
  backWhen: word,
});
const service = fc.record(
  {
    name: word,
    engine: word,
    model: word,
    state: fc.constantFrom("ready", "failed", "loading", "draining"),
    reason: word,
    progress: share,
    devices: fc.array(word, { maxLength: 3 }),
    ladder,
    divertedTo: word,
    inFlight: fc.nat(99),
    pid: fc.nat(9),
    restarts: fc.nat(),
  },
  { requiredKeys: ["name", "state"] },
);
const card = fc.record(
  {
    uuid: word,
    index: fc.nat(9),
    name: word,
    memoryTotal: bytes,
    memoryUsed: bytes,
    temperature: fc.nat(120),
    power: fc.nat(700),
    powerLimit: fc.nat(700),
    utilization: share,
    lost: fc.record({ since: fc.nat(), reason: word }),
    throttled: fc.constant(["power-cap"] as const),
    lastXid: fc.nat(200),
    eccErrors: fc.nat(3),
    holders: fc.array(fc.record({ pid: fc.nat(9), bytes })),
  },
  { requiredKeys: ["uuid", "index", "name"] },
);
const host = fc.record({
  memoryTotal: bytes,
  memoryAvailable: bytes,
  swapUsed: bytes,
  disks: fc.array(fc.record({ mount: word, size: bytes, free: bytes }), { maxLength: 4 }),
});
const event = fc.record({
  seq: fc.nat(),
  time: fc.nat(),
  severity: fc.constantFrom("info", "warning", "error"),
  kind: word,
  message: word,
});
const link: fc.Arbitrary<Link> = fc.oneof(
  fc.constant({ state: "live" } as const),
  fc.record({ state: fc.constant("polled" as const), why: word }),
  fc.record({ state: fc.constant("lost" as const), since: fc.nat(), why: word }),
);

const model: fc.Arbitrary<TopModel> = fc
  .record({
    services: fc.array(service, { maxLength: 14 }),
    cards: fc.array(card, { maxLength: 10 }),
    host: maybe(host),
    events: fc.array(event, { maxLength: 40 }),
    link,
    name: word,
  })
  .map(({ services, cards, host, events, link, name }) => {
    const state = nodeState([]);
    return topModel(
      {
        ...state,
        status: {
          ...state.status,
          services: services.map((more) => ({ ...serviceNamed(more.name), ...more })),
        },
        session: {
          node: name,
          version: "1",
          key: "k",
          admin: true,
          keysRequired: false,
          simulated: true,
          parts: [],
        },
        ...(host === undefined
          ? {}
          : { hardware: { source: "nvml", notes: [], reading: { time: 0, cards, host } } }),
        events,
      },
      link,
      1e9,
    );
  });

const view: fc.Arbitrary<TopView> = fc
  .record({
    page: fc.constantFrom("node", "service", "events", "help"),
    back: fc.nat(100),
    paused: fc.boolean(),
    question: maybe(fc.record({ service: word, action: fc.constant("restart" as const) })),
    notice: maybe(fc.record({ ok: fc.boolean(), text: word })),
    log: maybe(
      fc.record({
        service: word,
        log: fc.record({ lines: fc.array(word, { maxLength: 60 }), available: fc.constant(true) }),
      }),
    ),
  })
  .map(({ question, notice, log, ...rest }) => ({
    ...rest,
    ...(question === undefined ? {} : { question }),
    ...(notice === undefined ? {} : { notice }),
    ...(log === undefined ? {} : { log }),
  }));

it("a frame fills the screen and is never larger, whatever names it shows", () => {
  fc.assert(
    fc.property(
      model,
      view,
      fc.integer({ min: 1, max: 220 }),
      fc.integer({ min: 1, max: 80 }),
      (of, seen, width, height) => {
        const own = withSelection(seen, of);
        const logged =
          own.log === undefined || own.selected === undefined
            ? own
            : { ...own, log: { ...own.log, service: own.selected } };
        const lines = frameLines(of, logged, width, height);
        expect(lines.length).toBe(height);
        expect(lines.filter((line) => columnsOfLine(line) > width)).toEqual([]);
        expect(lines.map(textOf).filter((text) => ORDERS.test(text))).toEqual([]);
      },
    ),
  );
});

it("a printed frame keeps to its width", () => {
  fc.assert(
    fc.property(model, fc.integer({ min: 40, max: 220 }), (of, width) => {
      const lines = printedLines(of, width);
      expect(lines.filter((line) => columnsOfLine(line) > width)).toEqual([]);
      expect(lines.map(textOf).filter((text) => ORDERS.test(text))).toEqual([]);
    }),
  );
});
