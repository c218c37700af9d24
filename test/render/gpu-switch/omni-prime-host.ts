import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { expect } from "vitest";
import type { Deployment, Host } from "../../../src/deployment/index.ts";
import { renderGpuSwitch } from "../../../src/render/proxmox/gpu-switch/index.ts";
import { FakeSysfs } from "../../fakes/fake-sysfs.ts";
import { referenceDeployment } from "../deployments.ts";

export const BIG = "0000:f1:00";
export const SMALL = "0000:11:00";

export const OMNI_PRIME = await referenceDeployment("omni-prime");
export const SCRIPT = scriptOf(OMNI_PRIME);

export function scriptOf(deployment: Deployment, changed: Partial<Host> = {}): string {
  const [host] = deployment.hosts;
  if (host === undefined) throw new Error("the deployment has no host");
  return renderGpuSwitch({ ...host, ...changed }, deployment);
}

/** Both cards of the reference system, each in a group of its own, on the host's drivers. */
export function twoCards(pipeNobodyReads?: string): FakeSysfs {
  const fake = new FakeSysfs(pipeNobodyReads);
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
    const { code, out, err } = await fake.start(SCRIPT, args, { patience: "1" });
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
