import { expect, test } from "vitest";
import { METAL_CHECKS } from "../../../../src/host/doctor/metal-checks.ts";
import { observeMachine, runBounded } from "../../../../src/inventory/index.ts";
import type { HostView } from "../../../../src/host/doctor/check.ts";
import { addFunction, bind, emptyHost } from "../../../fakes/hosts/host-tree.ts";
import type { HostTree } from "../../../fakes/hosts/host-tree.ts";
import { THREADRIPPER_SPEC } from "../../../fakes/hosts/threadripper.ts";
import { CARD, workstation, WORKSTATION_SPEC } from "../../../fakes/hosts/workstation.ts";
import { changed, check } from "./situation.ts";
import type { Situation } from "./situation.ts";

/** A laptop with the graphics of its Intel processor and nothing else. */
function laptop(): HostTree {
  const tree = emptyHost();
  Object.assign(tree.files, {
    "etc/os-release": 'PRETTY_NAME="Ubuntu 26.04 LTS"\nID=ubuntu\nVERSION_ID="26.04"\n',
    "proc/sys/kernel/osrelease": "6.18.0-12-generic\n",
    "proc/cmdline": "BOOT_IMAGE=/vmlinuz-6.18.0-12-generic root=/dev/mapper/vg-root ro quiet splash\n",
    "proc/cpuinfo":
      "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Core(TM) Ultra 7\nflags\t\t: fpu vmx\n\n",
    "proc/meminfo": `MemTotal: ${32 * 2 ** 20} kB\nMemAvailable: ${20 * 2 ** 20} kB\nSwapTotal: 0 kB\n`,
    "boot/vmlinuz-6.18.0-12-generic": "",
    "sys/class/drm/version": "drm 1.1.0 20060810\n",
  });
  tree.commands["timedatectl show --property=NTPSynchronized --value"] = "yes\n";
  addFunction(tree, {
    address: "0000:00:02.0",
    id: "8086:7d55",
    class: "030000",
    driver: "i915",
    files: { boot_vga: "1" },
  });
  return tree;
}

/** Talos in a VM with a card: no shell and no program answers, its files are those that talosctl read. */
const talosGuest = changed(workstation, (tree) => {
  for (const program of Object.keys(tree.commands)) delete tree.commands[program];
  for (const path of Object.keys(tree.files))
    if (/^boot\/|class\/iommu|iommu_group/.test(path)) delete tree.files[path];
  tree.files["etc/os-release"] =
    'NAME="Talos"\nID=talos\nVERSION_ID=v1.12.11\nPRETTY_NAME="Talos (v1.12.11)"\n';
  tree.files["proc/cmdline"] = "talos.platform=metal console=tty0 init_on_alloc=1 slab_nomerge pti=on\n";
  bind(tree, "0000:11:00.1", undefined);
});

const LAPTOP_SPEC = `
omni: 1
name: laptop
models:
  chat: builtin:omni-demo
services:
  chat: { model: chat, context: auto, devices: auto }
`;

const UNSEEN = ["blackwell (0000:f1:00.0)", "rtx5090 (0000:11:00.0)"] as const;

const SITUATIONS: readonly Situation[] = [
  { name: "a laptop without a spec", spec: undefined, host: laptop, faults: [] },
  { name: "a laptop with its spec", spec: LAPTOP_SPEC, host: laptop, faults: [] },
  {
    name: "the spec of the Threadripper on a laptop",
    spec: WORKSTATION_SPEC,
    host: laptop,
    faults: [`cards.present | ${CARD} | error`],
    says: {
      check: "cards.present",
      seen: "it is not on the bus; nothing stands there",
      wanted: "RTX 5090 at 0000:11:00",
    },
  },
  { name: "a workstation without a spec", spec: undefined, host: workstation, faults: [] },
  {
    name: "a Talos guest without a spec: nothing but files",
    spec: undefined,
    host: talosGuest,
    faults: [
      "system.clock | unknown",
      "cards.xid | unknown",
      "driver.answers | RTX 5090 (0000:11:00.0) | unknown",
    ],
    says: {
      check: "driver.answers",
      why: "The module is loaded, but there is no nvidia-smi to ask it.",
    },
  },
  {
    name: "a Talos node whose spec asks for a boot line",
    spec: 'omni: 1\nname: node\nmetal: { platform: talos, version: "1.12", boot: { arguments: [iommu=pt] } }\n',
    host: talosGuest,
    faults: [
      "system.clock | unknown",
      "boot.line-in-effect | error",
      "boot.line-configured | unknown",
      "cards.xid | unknown",
      "driver.answers | RTX 5090 (0000:11:00.0) | unknown",
    ],
    says: {
      check: "boot.line-configured",
      seen: "Talos keeps its boot line in its image: talosctl read /proc/cmdline tells the one in effect",
    },
  },
  {
    name: "a container that sees neither /sys nor /proc of its host",
    spec: THREADRIPPER_SPEC,
    host: emptyHost,
    faults: [
      "system.platform | unknown",
      "system.kernel | unknown",
      "system.next-kernel | unknown",
      "system.clock | unknown",
      "boot.line-in-effect | unknown",
      "boot.line-configured | unknown",
      "boot.module-options | unknown",
      "boot.blacklist | unknown",
      "iommu.on | unknown",
      "iommu.interrupt-remapping | unknown",
      ...UNSEEN.map((card) => `cards.present | card ${card} | unknown`),
      "memory.size | unknown",
      "memory.numa | unknown",
      "memory.hugepages | unknown",
      "memory.channels | unknown",
      "memory.firmware | unknown",
    ],
    says: {
      check: "iommu.on",
      seen: "/sys is not to be seen here, as in a container; look on the host itself",
    },
  },
];

test.each(SITUATIONS)("$name", (situation) => check(situation));

test("this machine, whatever it is: every check comes to an end and says what it saw", async () => {
  const view: HostView = {
    name: "this machine",
    kind: "local",
    root: "/",
    machine: await observeMachine(),
    said: ([program, ...args], timeout = 10_000) => runBounded(program, args, { timeout }),
    space: () => Promise.resolve(undefined),
  };
  const network = {
    ask: () => Promise.resolve({ answered: false, message: "not asked" } as const),
    resolve: () => Promise.resolve("not asked"),
    listens: () => Promise.resolve(false),
  };
  const subject = { view, network, now: Date.now(), selfTest: false };
  const findings = await Promise.all(
    METAL_CHECKS.map(async (each) => ({ each, found: await each.look(subject) })),
  );
  for (const { each, found } of findings)
    for (const finding of found)
      expect(finding).toMatchObject({ check: each.id, seen: expect.stringMatching(/./) });
  expect(findings.flatMap(({ found }) => found).length).toBeGreaterThan(2);
});
