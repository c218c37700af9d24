import { expect, it } from "vitest";
import { kernelArgument } from "./kernel-arguments.ts";

it("takes what kernels are really given", () => {
  for (const text of [
    "quiet",
    "--",
    "memmap=16M$4G",
    "isolcpus=managed_irq,1-7",
    "memmap=16G!16G",
    "a[0]=~%^",
  ])
    expect(kernelArgument(text, "here")).toBe(text);
});

it("refuses with the place and the character what boot loaders and kernel read differently", () => {
  for (const [text, found] of [
    ['dyndbg="file a.c +p"', '"\\""'],
    ["a=b c", '" "'],
    ["a\\b", '"\\\\"'],
    ["a\nb", '"\\n"'],
    ["naïve", '"ï"'],
    ["#a", '"#"'],
    ["", "nothing"],
  ] as const)
    expect(() => kernelArgument(text, "boot.arguments.3")).toThrow(
      `boot.arguments.3: the kernel argument ${JSON.stringify(text)} holds ${found}, which a boot line cannot carry`,
    );
});
