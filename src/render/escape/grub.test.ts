import { expect, it } from "vitest";
import { grubAppend, grubMenuWord } from "./grub.ts";

it("escapes for GRUB first and for the shell that sources the file around it", () => {
  expect(grubMenuWord("memmap=16M$4G")).toBe("memmap=16M\\$4G");
  expect(grubAppend(["memmap=16M$4G", "quiet"])).toBe(
    'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT memmap=16M\\\\\\$4G quiet"',
  );
});
