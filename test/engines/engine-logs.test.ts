import { describe, expect, test } from "vitest";
import { findEngineDriver, findEngineStarter } from "../../src/engines/index.ts";
import type { EngineDriver, EngineFailure } from "../../src/engines/engine.ts";
import { type LogCase, logCases } from "./log-case.ts";

const CASES = logCases();

function driverOf(kind: string): EngineDriver {
  const driver = findEngineDriver(kind);
  if (driver === undefined) throw new Error(`There is no driver for ${kind}.`);
  return driver;
}

const read = (driver: EngineDriver, { exit, lines }: LogCase): EngineFailure | undefined =>
  exit === undefined
    ? lines.map((line) => driver.classifyLine(line)).find((failure) => failure !== undefined)
    : driver.classifyExit(exit, lines);

test("there are logs of every kind of engine that writes some", () => {
  expect(CASES.length).toBeGreaterThanOrEqual(40);
  expect(new Set(CASES.map(({ kind }) => kind)).size).toBe(8);
});

const tells = ({ expect: meaning }: LogCase): boolean => meaning !== "nothing";

test.each(CASES.filter((log) => !tells(log)).map((log) => [`${log.kind}: ${log.name}`, log] as const))(
  "%s means nothing",
  (_name, log) => {
    expect(read(driverOf(log.kind), log)).toBeUndefined();
  },
);

describe.each(CASES.filter(tells).map((log) => [`${log.kind}: ${log.name}`, log] as const))(
  "%s",
  (_name, log) => {
    const failure = read(driverOf(log.kind), log);
    const [code = "", recoverable, ...more] = log.expect.split(" ");
    const tokens = more.find((word) => word.startsWith("tokens="));

    test(`means ${log.expect}`, () => {
      expect(failure).toMatchObject({ code, recoverable: recoverable === "recoverable" });
      expect(failure?.message).toContain(log.says);
      expect(failure?.hint).not.toBe("");
      expect(failure?.goesOn === true).toBe(more.includes("goes-on"));
      expect(failure?.fittingTokens).toBe(tokens === undefined ? undefined : Number(tokens.split("=")[1]));
    });

    test("starter and driver say the same of an end", () => {
      const { exit } = log;
      const starter = findEngineStarter(log.kind);
      if (exit === undefined || starter === undefined) return;
      expect(starter.classifyExit(exit, log.lines)).toEqual(failure);
    });
  },
);
