import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { GIB } from "../../core/index.ts";
import {
  amountOrShare,
  autoOrTokens,
  bandwidth,
  bytes,
  duration,
  fraction,
  hours,
  instant,
  power,
  sizeOrRange,
  temperature,
} from "./quantities.ts";

const read = (schema: z.ZodType, typed: unknown): unknown => {
  const result = schema.safeParse(typed);
  return result.success ? result.data : "refused";
};

describe("quantities", () => {
  it.each<[string, z.ZodType, unknown, unknown]>([
    ["binary bytes", bytes(), "96GiB", 96 * GIB],
    ["decimal bytes", bytes(), "4TB", 4e12],
    ["no unit", bytes(), "96", "refused"],
    ["a number", bytes(), 96, "refused"],
    ["a negative amount", bytes(), "-1GiB", "refused"],
    ["seconds", duration(), "30s", 30_000],
    ["hours and minutes", duration(), "1h30m", 5_400_000],
    ["an unknown unit", duration(), "3 weeks", "refused"],
    ["a fraction", fraction(), 0.95, 0.95],
    ["a percentage", fraction(), "95%", 0.95],
    ["more than all", fraction(), "101%", "refused"],
    ["nothing", fraction(), 0, "refused"],
    ["a rate", bandwidth(), "100MB/s", 1e8],
    ["a rate in bits", bandwidth(), "1Gbit/s", 125_000_000],
    ["a rate without its second", bandwidth(), "100MB", "refused"],
    ["watts", power(), "450W", 450],
    ["kilowatts", power(), "1.2kW", 1200],
    ["degrees", temperature(), "85C", 85],
    ["an amount to keep free", amountOrShare(), "1GiB", { bytes: GIB }],
    ["a share to keep free", amountOrShare(), "5%", { fraction: 0.05 }],
    ["a size", sizeOrRange(), "404GB", { min: 404e9, max: 404e9 }],
    ["a range with one unit", sizeOrRange(), "100-150GB", { min: 100e9, max: 150e9 }],
    ["a range with two units", sizeOrRange(), "500GB-1TB", { min: 500e9, max: 1e12 }],
    ["a range turned round", sizeOrRange(), "150GB-100GB", "refused"],
    ["tokens", autoOrTokens(), 32_768, 32_768],
    ["auto", autoOrTokens(), "auto", "auto"],
    ["a text of tokens", autoOrTokens(), "32k", "refused"],
    ["a day", instant(), "2027-01-31", Date.UTC(2027, 0, 31)],
    ["an instant", instant(), "2027-01-31T12:00:00Z", Date.UTC(2027, 0, 31, 12)],
    ["a day that does not exist", instant(), "2027-02-30", "refused"],
    ["a month that does not exist", instant(), "2027-13-01", "refused"],
    ["hours over midnight", hours(), "22:00-06:30", { from: 1320, to: 390 }],
    ["hours of no day", hours(), "25:00-06:00", "refused"],
    ["no hours", hours(), "06:00-06:00", "refused"],
  ])("%s", (_, schema, typed, expected) => {
    expect(read(schema, typed)).toEqual(expected);
  });
});
