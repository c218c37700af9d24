import { describe, expect, it } from "vitest";
import { cudaBaseFor } from "../../catalog/index.ts";
import { architectureLists } from "./architecture-lists.ts";

const version = (...list: string[]): string => {
  const base = cudaBaseFor(list);
  return "version" in base ? base.version : base.reason;
};

describe("architectureLists", () => {
  it.each([
    [["12.0"], "120-real", "12.0", "12.0a", ["sm_120"]],
    [["120"], "120", "12.0+PTX", "12.0a", ["sm_120"]],
    [["9.0a", "10.0"], "90a-real;100-real", "9.0a 10.0", "9.0a 10.0a", ["sm_90a", "sm_100"]],
    [["8.6", "12.0+PTX"], "86-real;120", "8.6 12.0+PTX", "8.6 12.0a", ["sm_86", "sm_120"]],
    [["120-virtual"], "120-virtual", "12.0+PTX", "12.0a", ["12.0"]],
    [["sm_120a"], "120a-real", "12.0a", "12.0a", ["sm_120a"]],
  ])("derives %j", (list, cmake, torch, flashinfer, required) => {
    expect(architectureLists(list)).toEqual({ cmake, torch, flashinfer, required, unknown: [] });
  });

  it("names what is no architecture", () => {
    expect(architectureLists(["native", "12.0"])).toMatchObject({ unknown: ["native"], cmake: "120-real" });
  });
});

describe("cudaBaseFor", () => {
  it("takes the oldest toolkit that compiles for all cards", () => {
    expect(version("8.6")).toBe("12.8.1");
    expect(version("12.0")).toBe("12.8.1");
    expect(version("6.1", "12.0")).toBe("12.8.1");
    expect(version("12.0", "12.1")).toBe("12.9.1");
    expect(version("100f")).toBe("12.9.1");
    expect(version("11.0")).toBe("13.0.1");
  });

  it("says why there is none", () => {
    expect(version("6.1", "11.0")).toContain("no longer for cards before 7.5");
    expect(version("10.7")).toContain("newer than 13.0.1");
    expect(version("native")).toContain("native");
  });
});
