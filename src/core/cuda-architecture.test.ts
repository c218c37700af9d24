import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  distinctArchitectures,
  formatCudaArchitecture,
  parseComputeCapability,
  parseCudaArchitecture,
  parseCudaArchitectureList,
  runsOn,
} from "./cuda-architecture.ts";
import type { CudaArchitecture } from "./cuda-architecture.ts";

const names = (text: string): string[] | undefined =>
  parseCudaArchitecture(text)?.map((entry) => formatCudaArchitecture(entry));

describe("notations of CUDA architectures", () => {
  it.each([
    ["12.0", ["sm_120"]],
    ["12.0+PTX", ["sm_120", "compute_120"]],
    ["9.0a", ["sm_90a"]],
    ["sm_120", ["sm_120"]],
    ["SM_120A", ["sm_120a"]],
    ["compute_90", ["compute_90"]],
    ["120", ["sm_120", "compute_120"]],
    ["86", ["sm_86", "compute_86"]],
    ["86-real", ["sm_86"]],
    ["90-virtual", ["compute_90"]],
    ["120a-real", ["sm_120a"]],
    ["100f", ["sm_100f", "compute_100f"]],
    ["10.0f", ["sm_100f"]],
  ])("%s is %j", (text, expected) => {
    expect(names(text)).toEqual(expected);
  });

  it.each(["", "native", "all", "x86", "12.0.1", "1200", "sm_", "12.0b", "-real"])("%j is none", (text) => {
    expect(parseCudaArchitecture(text)).toBeUndefined();
  });

  it("reads lists with any separator, and nothing of a list with an unknown word", () => {
    expect(parseCudaArchitectureList("7.5 8.0;8.6, 9.0+PTX")?.map(formatCudaArchitecture)).toEqual([
      "sm_75",
      "sm_80",
      "sm_86",
      "sm_90",
      "compute_90",
    ]);
    expect(parseCudaArchitectureList("8.0;native")).toBeUndefined();
    expect(parseCudaArchitectureList("  ")).toBeUndefined();
  });

  it("reads back what it prints", () => {
    fc.assert(
      fc.property(architecture, (entry) => {
        expect(parseCudaArchitecture(formatCudaArchitecture(entry))).toEqual([entry]);
      }),
    );
  });

  it("sorts by version and drops what is there twice", () => {
    const list = ["9.0+PTX", "7.5", "9.0", "12.0a"].flatMap((text) => parseCudaArchitecture(text) ?? []);
    expect(distinctArchitectures(list).map(formatCudaArchitecture)).toEqual([
      "sm_75",
      "sm_90",
      "compute_90",
      "sm_120a",
    ]);
  });
});

const REAL = [50, 52, 60, 61, 70, 72, 75, 80, 86, 87, 89, 90, 100, 101, 103, 107, 110, 120, 121] as const;
const capability = fc
  .constantFrom(...REAL)
  .map((code) => ({ major: Math.floor(code / 10), minor: code % 10 }));
const architecture: fc.Arbitrary<CudaArchitecture> = fc
  .tuple(capability, fc.constantFrom("cubin", "ptx"), fc.constantFrom("", "a", "f"))
  .map(([version, form, suffix]) => ({ ...version, form, suffix }));

describe("what runs where", () => {
  it.each([
    ["sm_86", "8.6", true],
    ["sm_80", "8.9", true],
    ["sm_89", "8.6", false],
    ["sm_90", "10.0", false],
    ["sm_90", "12.0", false],
    ["sm_100", "12.0", false],
    ["sm_120", "12.0", true],
    ["sm_120", "12.1", true],
    ["sm_90a", "9.0", true],
    ["sm_90a", "12.0", false],
    ["sm_120a", "12.1", false],
    ["compute_90", "12.0", true],
    ["compute_90a", "12.0", false],
    ["compute_120", "9.0", false],
    ["sm_100f", "10.3", true],
    ["sm_100f", "12.0", false],
    ["compute_120f", "12.1", true],
    ["sm_121a", "12.0", false],
  ])("%s on %s: %s", (name, device, expected) => {
    const parsed = parseCudaArchitecture(name)?.[0];
    const card = parseComputeCapability(device);
    expect(parsed !== undefined && card !== undefined && runsOn(parsed, card)).toBe(expected);
  });

  // A second reading of the rule: the set of all devices that a piece of code serves, filtered from the whole table.
  it("agrees with the rule read as a table of devices", () => {
    fc.assert(
      fc.property(architecture, capability, (entry, device) => {
        const own = entry.major * 10 + entry.minor;
        const served = REAL.filter((code) => {
          if (code < own) return false;
          if (code === own) return true;
          if (entry.suffix === "a") return false;
          return Math.floor(code / 10) === entry.major || (entry.form === "ptx" && entry.suffix === "");
        });
        const expected = served.some((code) => code === device.major * 10 + device.minor);
        expect(runsOn(entry, device)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });
});
