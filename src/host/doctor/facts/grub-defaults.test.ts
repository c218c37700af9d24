import { expect, test } from "vitest";
import { grubAppend } from "../../../render/escape/grub.ts";
import { fakeMachine } from "../../../../test/fakes/fake-machine.ts";
import { readGrubDefaults } from "./grub-defaults.ts";

function read(files: Readonly<Record<string, string>>): ReturnType<typeof readGrubDefaults> {
  const machine = fakeMachine();
  try {
    machine.files(files);
    return readGrubDefaults(machine.root);
  } finally {
    machine.remove();
  }
}

test.each([
  ['GRUB_CMDLINE_LINUX_DEFAULT="quiet iommu=pt"\n', ["quiet", "iommu=pt"]],
  ["GRUB_CMDLINE_LINUX_DEFAULT='quiet'\nGRUB_CMDLINE_LINUX=nosmt\n", ["nosmt", "quiet"]],
  ['GRUB_CMDLINE_LINUX="a"\nGRUB_CMDLINE_LINUX+=" b" # more\n', ["a", "b"]],
  ['GRUB_CMDLINE_LINUX="a"\nGRUB_CMDLINE_LINUX="${GRUB_CMDLINE_LINUX} b"\n', ["a", "b"]],
  ['# GRUB_CMDLINE_LINUX="a"\nGRUB_CMDLINE_LINUX_RECOVERY="single"\nGRUB_CMDLINE_LINUX=""\n', []],
])("%j is the boot line %j", (text, words) => {
  expect(read({ "etc/default/grub": text })).toEqual({ understood: true, words });
});

test("files of grub.d come after it, in their order, as Omni appends to them", () => {
  const words = ["iommu=pt", "video=efifb:off;$x", "memmap=4G$8G"];
  expect(
    read({
      "etc/default/grub": 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n',
      "etc/default/grub.d/omni.cfg": `${grubAppend(words)}\n`,
      "etc/default/grub.d/readme.txt": 'GRUB_CMDLINE_LINUX="no"\n',
    }),
  ).toEqual({ understood: true, words: ["quiet", ...words] });
});

test.each([
  'GRUB_CMDLINE_LINUX="$(cat /x)"',
  "if true; then GRUB_CMDLINE_LINUX=a; fi",
  'GRUB_CMDLINE_LINUX="$OTHER"',
  'GRUB_CMDLINE_LINUX="a',
])("%j is told and not guessed", (text) => {
  expect(read({ "etc/default/grub": `${text}\n` })).toEqual({
    understood: false,
    file: "/etc/default/grub",
    text,
  });
});

test("no file, no line", () => expect(read({})).toBeUndefined());
