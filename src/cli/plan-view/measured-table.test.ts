import { expect, test } from "vitest";
import { EMPTY_PLAN, placed } from "../../../test/fakes/empty-plan.ts";
import { GIB, MIB } from "../../core/index.ts";
import type { Measurement } from "../../store/index.ts";
import type { Terminal } from "../terminal.ts";
import { printMeasured } from "./measured-table.ts";

const measurement = (model: string, took: number | undefined, time: string): Measurement => ({
  id: 1,
  time: Date.parse(time),
  service: "chat",
  model,
  engine: "llama.cpp",
  version: "b1",
  cards: ["RTX 5090"],
  settings: "s",
  devices: [
    { device: "gpu0", predicted: { total: 10 * GIB }, took: took === undefined ? {} : { total: took } },
  ],
});

function printed(measurements: readonly Measurement[]): string {
  const lines: string[] = [];
  const plain = (_style: unknown, text: string): string => text;
  const terminal: Terminal = {
    out: (line) => void lines.push(line),
    err: () => undefined,
    style: plain,
    styleErr: plain,
    interactive: false,
    columns: 80,
  };
  const service = placed("chat", {
    engine: { name: "mine", kind: "llama.cpp", version: "b1" },
    model: { name: "coder", path: "", sizeBytes: 0 },
  });
  printMeasured({ ...EMPTY_PLAN, services: [service] }, measurements, terminal);
  return lines.join("\n");
}

test("the newest start of a service's model is shown beside what was predicted, with the difference", () => {
  const text = printed([
    measurement("coder", 10 * GIB + 512 * MIB, "2026-11-22T02:14:00Z"),
    measurement("coder", 9 * GIB, "2026-11-21T02:14:00Z"),
    measurement("other", 9 * GIB, "2026-11-22T02:14:00Z"),
  ]);
  expect(text).toContain("MEASURED HERE");
  expect(text).toMatch(/chat +gpu0 +10\.00 GiB +10\.50 GiB +\+512\.0\d* MiB +2026-11-22 02:14/);
  expect(text).not.toContain("2026-11-21");
});

test("less than predicted has its sign, and nothing is printed where nothing was measured", () => {
  expect(printed([measurement("coder", 9 * GIB, "2026-11-22T02:14:00Z")])).toContain("-1.00 GiB");
  expect(printed([])).toBe("");
  expect(printed([measurement("coder", undefined, "2026-11-22T02:14:00Z")])).toBe("");
});
