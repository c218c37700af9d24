import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { expect } from "vitest";
import { switchScript } from "../../../src/render/proxmox/gpu-switch/index.ts";
import { FakeSysfs } from "../../fakes/fake-sysfs.ts";

export const BIG = "0000:f1:00";
export const SMALL = "0000:11:00";

/** The script for both cards of the reference system. */
export const SCRIPT = switchScript(
  {
    cards: [
      { name: "blackwell", slot: BIG, audio: true, ids: [] },
      { name: "rtx5090", slot: SMALL, audio: true, ids: [] },
    ],
    withoutAddress: [],
  },
  ["audio", "video"],
);

/** Both cards of the reference system, each in a group of its own, on the host's drivers. */
export async function twoCards(pipeNobodyReads?: string): Promise<FakeSysfs> {
  const fake = await FakeSysfs.make(pipeNobodyReads);
  fake.card(BIG, 1, "host");
  fake.card(SMALL, 2, "host");
  return fake;
}

export async function within(fake: FakeSysfs, act: (fake: FakeSysfs) => Promise<void>): Promise<void> {
  try {
    await act(fake);
  } finally {
    fake.remove();
  }
}

export const ALL = [`${BIG}.1`, `${BIG}.0`, `${SMALL}.1`, `${SMALL}.0`];
export const drivers = (fake: FakeSysfs): (string | undefined)[] => ALL.map((fn) => fake.driverOf(fn));
export const ON_HOST = ["snd_hda_intel", "nvidia", "snd_hda_intel", "nvidia"];
export const ON_VFIO = ["vfio-pci", "vfio-pci", "vfio-pci", "vfio-pci"];
export const installed = (tool: string): boolean => spawnSync(tool, ["--version"]).error === undefined;
export const SHELLS = ["dash", "bash"].filter((shell) => spawnSync(shell, ["-c", ":"]).error === undefined);

/** A run that must be refused: nothing is written, nothing is left locked, the text names what stands in the way. */
export async function check(
  fake: FakeSysfs,
  args: readonly string[],
  ...texts: (string | RegExp)[]
): Promise<void> {
  await within(fake, async () => {
    const before = drivers(fake);
    const { code, out, err } = await fake.start(SCRIPT, args);
    for (const text of texts) expect(err).toMatch(text);
    expect(err).toContain("  why: ");
    expect(err).toContain("  do:  ");
    expect({ code, writes: fake.writes, after: drivers(fake) }, `${out}${err}`).toEqual({
      code: 3,
      writes: [],
      after: before,
    });
    expect(readdirSync(fake.run)).toEqual([]);
  });
}
