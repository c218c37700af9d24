import { expect, it } from "vitest";
import type { Finding } from "../../parts/findings.tsx";
import type { Rejection } from "./plan-types.ts";
import { withoutTold } from "./told-findings.ts";

const rejection: Rejection = {
  service: "oracle",
  engine: "vllm",
  model: "big",
  devices: ["gpu0"],
  code: "does-not-fit",
  reason: "needs 95 GiB on gpu0",
  hint: "take a smaller one",
};
const finding: Finding = {
  code: "does-not-fit",
  severity: "error",
  path: "services.oracle",
  line: 7,
  message: "oracle with vllm on gpu0: needs 95 GiB on gpu0.",
  hint: "take a smaller one",
  source: "Arithmetic",
};

it("tells the arithmetic of a refusal once", () => {
  expect(withoutTold([finding], [rejection])).toEqual([
    {
      code: "does-not-fit",
      severity: "error",
      path: "services.oracle",
      line: 7,
      message: "oracle with vllm: see what was not taken.",
    },
  ]);
});

it("leaves what is told nowhere else as it is", () => {
  expect(withoutTold([finding], [])).toEqual([finding]);
  expect(withoutTold([finding], [{ ...rejection, alternative: true }])).toEqual([finding]);
  expect(withoutTold([finding], [{ ...rejection, code: "other" }])).toEqual([finding]);
});
