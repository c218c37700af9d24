import { expect, it } from "vitest";
import { moduleName, moduleOption } from "./modprobe.ts";

it("takes names and options that modprobe.d holds", () => {
  expect(moduleName("vfio-pci", "here")).toBe("vfio-pci");
  for (const text of ["ids=10de:2b85,10de:22e8", 'dyndbg="file a.c +p"', "NVreg_Foo=1", "a=b\\c"])
    expect(moduleOption(text, "here")).toBe(text);
});

it("refuses what would be another line or another option", () => {
  expect(() => moduleName("-r", "here")).toThrow('here: "-r" is no name of a kernel module');
  for (const [text, why] of [
    ["a=1\ninstall x y", "a control character"],
    ["a=1\\", "joins two lines"],
    ['a="1', "does not close it"],
    ["a=1 b=2", "a space outside of double quotes"],
    ["", "a space outside"],
  ] as const)
    expect(() => moduleOption(text, "boot.modules.kvm.0")).toThrow(why);
});
