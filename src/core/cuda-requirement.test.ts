import { describe, expect, it } from "vitest";
import { parseCudaArchitectureList } from "./cuda-architecture.ts";
import { meetsCudaRequirement, parseCudaRequirement } from "./cuda-requirement.ts";

const meets = (list: string, wanted: string): boolean | undefined => {
  const requirement = parseCudaRequirement(wanted);
  return requirement && meetsCudaRequirement(parseCudaArchitectureList(list) ?? [], requirement);
};

describe("meetsCudaRequirement", () => {
  it.each([
    ["sm_90", "12.0", false],
    ["sm_90", "sm_120", false],
    ["sm_120", "12.0", true],
    ["sm_120", "12.1", true],
    ["sm_121", "12.0", false],
    ["sm_120a", "sm_120", true],
    ["sm_120a", "12.1", false],
    // PTX of an older architecture starts on a newer card, but is not the machine code that was asked for.
    ["compute_90", "12.0", true],
    ["compute_90", "sm_120", false],
    ["sm_90", "sm_90a", false],
    ["sm_90a", "sm_90a", true],
    ["sm_86", "sm_89", true],
    ["12.0+PTX", "12.0+PTX", true],
    ["sm_120", "12.0+PTX", false],
    ["100f", "12.0", false],
  ])("a list of %s against %s: %s", (list, wanted, answer) => {
    expect(meets(list, wanted)).toBe(answer);
  });

  it("knows no requirement in other texts, and meets none with nothing", () => {
    expect(parseCudaRequirement("native")).toBeUndefined();
    expect(parseCudaRequirement("")).toBeUndefined();
    const requirement = parseCudaRequirement("sm_120");
    expect(requirement && meetsCudaRequirement([], requirement)).toBe(false);
  });
});
