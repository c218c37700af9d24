import { linkSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runBounded } from "../../../inventory/index.ts";
import { RESET_SCRIPT } from "./reset-self-test.ts";

/** Runs the script on a folder of plain files that stands for a device. */
async function reset(before: (device: string) => void): Promise<{ code: number | null; written: string }> {
  const device = mkdtempSync(join(tmpdir(), "omni-reset-"));
  try {
    writeFileSync(join(device, "config"), new Uint8Array(64).fill(7));
    writeFileSync(join(device, "resource"), "0x0 0x1 0x200\n");
    writeFileSync(join(device, "reset"), "");
    before(device);
    const result = await runBounded("sh", ["-c", RESET_SCRIPT, "sh", device], { timeout: 10_000 });
    const written = readFileSync(join(device, "reset"), "utf8");
    return { code: result.ended ? result.code : null, written };
  } finally {
    rmSync(device, { recursive: true, force: true });
  }
}

test("1 is written once, and what is as before is well", async () => {
  expect(await reset(() => {})).toEqual({ code: 0, written: "1" });
});

test("nothing is written where the configuration cannot be read", async () => {
  expect(await reset((device) => rmSync(join(device, "resource")))).toEqual({ code: 3, written: "" });
});

test("a reset that changes the configuration is seen", async () => {
  const result = await reset((device) => {
    // The configuration is the very file that the reset is written to.
    rmSync(join(device, "config"));
    linkSync(join(device, "reset"), join(device, "config"));
  });
  expect(result).toEqual({ code: 6, written: "1" });
});
