import { expect, test } from "vitest";
import { romImage } from "../../../../test/fakes/hosts/host-tree.ts";
import { readRomImages } from "./rom-images.ts";

test("the images of a ROM, the old BIOS's and the one for UEFI", () => {
  const bios = romImage("10de:2b85", 0);
  bios[0x55] = 0;
  expect(readRomImages(Buffer.concat([bios, romImage("10de:2b85", 3)]))).toEqual([
    { id: "10de:2b85", codeType: 0 },
    { id: "10de:2b85", codeType: 3 },
  ]);
});

test.each([
  [new Uint8Array(), "it is empty"],
  [new TextEncoder().encode("<html>".repeat(20)), "it begins with 3c 68 and not with 55 aa"],
  [romImage("10de:2b85").fill(0, 0x40, 0x44), "the image at 0 has no PCIR structure"],
  [romImage("10de:2b85").subarray(0, 0x45), "the image at 0 has no PCIR structure"],
])("what is no ROM says why", (bytes, why) => {
  expect(readRomImages(bytes)).toBe(why);
});
