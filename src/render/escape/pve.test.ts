import { expect, it } from "vitest";
import { propertyString, pveName, pveNotes, pvePart, pveValue } from "./pve.ts";

it("holds a value to one line, a part to one property, a name to one word", () => {
  expect(pveValue("host,flags=+aes", "here")).toBe("host,flags=+aes");
  expect(() => pveValue("a\nargs: -S", "vm.cpu")).toThrow('vm.cpu: "a\\nargs: -S" holds a line break');
  expect(() => pveValue(" a", "here")).toThrow("spaces at its ends");
  expect(() => pvePart("a.rom,rombar=0", "here")).toThrow('holds ",", which ends the value');
  expect(() => pvePart("a;b", "here")).toThrow('holds ";"');
  expect(() => pveName("-x", "here")).toThrow("no name that Proxmox takes");
});

it("writes parts in order and leaves out what is absent", () => {
  expect(
    propertyString([
      ["", "virtio"],
      ["bridge", "vmbr0"],
      ["tag", undefined],
      ["mtu", 9000],
    ]),
  ).toBe("virtio,bridge=vmbr0,mtu=9000");
});

it("writes notes as Proxmox does: percent form for all but printable ASCII", () => {
  expect(pveNotes("50 %\nné\r")).toBe("#50 %25\n#n%C3%A9%0D");
});
