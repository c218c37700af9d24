import { describe, expect, test } from "vitest";
import { correctionOn, correctionsFor } from "./learned.ts";

const learned = [
  { model: "a", engine: "llama.cpp", beyond: [300, -20], measured: "newest" },
  { model: "a", engine: "llama.cpp", beyond: [1, 1], measured: "older" },
  { model: "a", engine: "vllm", beyond: [7], measured: "" },
  { model: "b", engine: "llama.cpp", beyond: [9], measured: "" },
];

describe("corrections", () => {
  test("are those of the model, its engine and its number of cards, the newest first, and never below the prediction", () => {
    const corrections = correctionsFor("a", learned);
    expect(correctionOn(corrections, "llama.cpp", 2)).toEqual([300, 0]);
    expect(correctionOn(corrections, "vllm", 1)).toEqual([7]);
  });

  test("are nothing where nothing was measured", () => {
    expect(correctionOn(correctionsFor("c", learned), "vllm", 2)).toEqual([0, 0]);
    expect(correctionOn(correctionsFor("a", learned), "llama.cpp", 1)).toEqual([0]);
    expect(correctionOn(undefined, "vllm", 1)).toEqual([0]);
  });
});
