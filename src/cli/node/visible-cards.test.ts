import { expect, test } from "vitest";
import { placed } from "../../../test/fakes/empty-plan.ts";
import type { CardIdentity } from "./card-identities.ts";
import { visibleCards } from "./visible-cards.ts";

const CARDS = new Map<string, CardIdentity>([
  ["gpu0", { name: "RTX 5090", uuid: "GPU-aaaa", index: 1 }],
  ["gpu1", { name: "RTX 5090", uuid: "GPU-bbbb", index: 0 }],
  ["indexed", { name: "RTX 3090", index: 2 }],
  ["unknown", { name: "RTX 3090" }],
]);
const on = (...devices: string[]): ReturnType<typeof placed> => placed("s", { devices });

test("llama.cpp is bound to its cards by UUID, in the order of the placement", () => {
  expect(visibleCards("llama.cpp", on("gpu1", "gpu0"), CARDS)).toEqual({
    CUDA_DEVICE_ORDER: "PCI_BUS_ID",
    CUDA_VISIBLE_DEVICES: "GPU-bbbb,GPU-aaaa",
  });
});

test("engines that read a UUID as a number are bound by numbers in PCI order", () => {
  for (const kind of ["vllm", "triton-vllm", "sglang", "ktransformers", "tensorrt-llm"])
    expect(visibleCards(kind, on("gpu0", "gpu1"), CARDS)).toEqual({
      CUDA_DEVICE_ORDER: "PCI_BUS_ID",
      CUDA_VISIBLE_DEVICES: "1,0",
    });
});

test("one card without a UUID binds all by number; one without either binds none", () => {
  expect(visibleCards("llama.cpp", on("gpu0", "indexed"), CARDS)["CUDA_VISIBLE_DEVICES"]).toBe("1,2");
  expect(visibleCards("llama.cpp", on("gpu0", "unknown"), CARDS)).toEqual({});
});

test("on the processor no card is seen, also where machines have names", () => {
  for (const devices of [["cpu"], ["tower/cpu"], []])
    expect(visibleCards("llama.cpp", on(...devices), CARDS)).toEqual({ CUDA_VISIBLE_DEVICES: "" });
});
