import { expect, test } from "vitest";
import { missingGroups, parseArguments } from "./kernel-arguments.ts";

test("words are apart by spaces, which quotes keep together", () => {
  expect(parseArguments('  quiet dyndbg="file a.c +p; b"  ro\n')).toEqual([
    "quiet",
    'dyndbg="file a.c +p; b"',
    "ro",
  ]);
  expect(parseArguments("\n")).toEqual([]);
});

test.each([
  { line: "ro iommu=pt", wanted: [["iommu=pt"]], missing: [] },
  { line: "vfio_pci.disable_idle_d3=1", wanted: [["vfio-pci.disable-idle-d3=1"]], missing: [] },
  { line: "console=tty-0", wanted: [["console=tty_0"]], missing: ["console=tty_0"] },
  {
    line: "hugepagesz=1G hugepages=300 hugepagesz=2M hugepages=8",
    wanted: [
      ["hugepagesz=2M", "hugepages=300"],
      ["hugepagesz=2M", "hugepages=8"],
    ],
    missing: ["hugepagesz=2M hugepages=300"],
  },
  { line: "", wanted: [["iommu=pt"]], missing: ["iommu=pt"] },
])("of '$line' these are missing: $missing", ({ line, wanted, missing }) => {
  expect(missingGroups(wanted, parseArguments(line))).toEqual(missing);
});
