import { describe, expect, it } from "vitest";
import { modelFilesOf, pickGguf } from "./pick-gguf.ts";

const part = (name: string, index: number, total: number): string =>
  `${name}-${String(index).padStart(5, "0")}-of-${String(total).padStart(5, "0")}.gguf`;
const FILES = [
  part("Q4_K_M/DeepSeek-V3-Q4_K_M", 2, 2),
  part("Q4_K_M/DeepSeek-V3-Q4_K_M", 1, 2),
  part("UD-Q4_K_XL/DeepSeek-V3-UD-Q4_K_XL", 1, 1),
  part("Q2_K_L/DeepSeek-V3-Q2_K_L", 1, 3),
  "DeepSeek-V3-Q2_K.gguf",
  "mmproj-F16.gguf",
  "README.md",
];
const pick = (choice: Parameters<typeof pickGguf>[1], files = FILES): readonly string[] =>
  pickGguf(files, choice, "owner/repo");

describe("GGUF files of a repository", () => {
  it("are grouped into models with their parts in order", () => {
    expect([...modelFilesOf(FILES).keys()]).toHaveLength(4);
    expect(pick({ quantization: "q4_k_m" })).toEqual([FILES[1], FILES[0]]);
    expect(pick({ quantization: "Q4_K_XL" })).toEqual([FILES[2]]);
    expect(pick({ quantization: "UD-Q4_K_XL" })).toEqual([FILES[2]]);
    expect(pick({ quantization: "Q2_K" })).toEqual(["DeepSeek-V3-Q2_K.gguf"]);
    expect(pick({ files: ["*Q4_K_M*"] })).toEqual([FILES[1], FILES[0]]);
    expect(pick({ files: ["deepseek-*2_k.GGUF", "none"] })).toEqual(["DeepSeek-V3-Q2_K.gguf"]);
    expect(pick({ files: ["DeepSeek-V3-Q2_?.gguf"] })).toEqual(["DeepSeek-V3-Q2_K.gguf"]);
  });

  it("are the usual quantization when nothing is asked for, or the only model there is", () => {
    expect(pick({})).toEqual([FILES[1], FILES[0]]);
    expect(pick({}, ["only-IQ3_M.gguf", "mmproj.gguf"])).toEqual(["only-IQ3_M.gguf"]);
  });

  it("that are incomplete or absent are refused", () => {
    expect(() => pick({ files: ["*Q2_K_L*"] })).toThrow(/holds 1 of the 3 parts of Q2_K_L/);
    expect(() => pick({}, ["m-00001-of-99999.gguf"])).toThrow(/claims 99999 parts of m-00001-of-99999/);
    expect(() => pick({ quantization: "Q6_K" })).toThrow(/no model that fits Q6_K: DeepSeek-V3-Q2_K.gguf, /);
    expect(() => pick({}, ["README.md"])).toThrow(/holds no GGUF files/);
    // What is typed is text and never a pattern that runs for minutes.
    expect(() => pick({ files: ["*a".repeat(50)] }, [`${"a".repeat(60)}.gguf`])).toThrow(/no model/);
  });
});
