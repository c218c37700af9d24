import { expect, test } from "vitest";
import { addCard } from "../../../fakes/hosts/graphics-card.ts";
import { addFunction, bind, folderOf, romImage, setFile, unplug } from "../../../fakes/hosts/host-tree.ts";
import type { HostTree } from "../../../fakes/hosts/host-tree.ts";
import {
  BIG,
  RUNNING_LINE,
  SMALL,
  THREADRIPPER_SPEC,
  threadripper,
} from "../../../fakes/hosts/threadripper.ts";
import { lookAt } from "./look.ts";
import { changed, check } from "./situation.ts";
import type { Situation } from "./situation.ts";

const BLACKWELL = "card blackwell (0000:f1:00.0)";
const RTX = "card rtx5090 (0000:11:00.0)";
const RESET_BIG = `cards.reset-method | ${BLACKWELL} | note`;
const RESET_SMALL = `cards.reset-method | ${RTX} | note`;
const RESETS = [RESET_BIG, RESET_SMALL] as const;
const spec = THREADRIPPER_SPEC;
const on = (change: (tree: HostTree) => void): (() => HostTree) => changed(threadripper, change);
const ROM = "usr/share/kvm/palit.rom";

const SITUATIONS: readonly Situation[] = [
  {
    name: "a disk shares the group of a card",
    spec,
    host: on((tree) =>
      addFunction(tree, {
        address: "0000:42:00.0",
        id: "144d:a80c",
        class: "010802",
        group: 30,
        driver: "nvme",
      }),
    ),
    faults: [`iommu.groups | ${BLACKWELL} | error`, ...RESETS],
    says: {
      check: "iommu.groups",
      seen: "group 30 also holds 0000:42:00.0 (NVMe disk 144d:a80c, nvme)",
      wanted: "only functions of cards that are handed over, and bridges",
    },
  },
  {
    name: "only a bridge shares the group of a card",
    spec,
    host: on((tree) =>
      addFunction(tree, {
        address: "0000:f0:01.1",
        id: "1022:14ab",
        class: "060400",
        group: 30,
        driver: "pcieport",
      }),
    ),
    faults: RESETS,
    says: { check: "iommu.groups", subject: BLACKWELL, state: "ok", seen: "group 30 holds this card alone" },
  },
  {
    name: "both cards share one group and both are handed over",
    spec,
    host: on((tree) => {
      unplug(tree, SMALL);
      addCard(tree, { slot: SMALL, id: "10de:2b85", group: 30, driver: "vfio-pci" });
    }),
    faults: RESETS,
    says: { check: "iommu.groups", subject: RTX, seen: "group 30 holds cards that all are handed over" },
  },
  {
    name: "the IOMMU is off in the BIOS",
    spec,
    host: on((tree) => {
      for (const path of Object.keys(tree.files))
        if (/iommu_group|class\/iommu/.test(path)) delete tree.files[path];
      tree.files["sys/class/net/lo/type"] = "772\n";
      tree.files["proc/interrupts"] = " 27:  0  PCI-MSI-0000:f1:00.0  0-edge  vfio-msi\n";
      tree.files["proc/cmdline"] = `${RUNNING_LINE.trim()} amd_iommu=off\n`;
    }),
    faults: [
      "iommu.on | error",
      `iommu.groups | ${BLACKWELL} | unknown`,
      `iommu.groups | ${RTX} | unknown`,
      "iommu.interrupt-remapping | error",
      ...RESETS,
    ],
    says: {
      check: "iommu.on",
      seen: "/sys/class/iommu is empty, and the boot line has amd_iommu=off",
      remedy: "Remove amd_iommu=off from the boot line, then reboot.",
    },
  },
  {
    name: "firmware wants memory mapped one to one for a card, on kernel 6.17",
    spec,
    host: on(({ files }) => {
      files["sys/kernel/iommu_groups/12/reserved_regions"] =
        "0x00000000a8000000 0x00000000a8ffffff direct\n0x00000000fee00000 0x00000000feefffff msi\n";
    }),
    faults: [`iommu.direct-mappings | ${RTX} | error`, ...RESETS],
    says: {
      check: "iommu.direct-mappings",
      seen: "firmware wants 1 range of memory mapped one to one for it (0x00000000a8000000–0x00000000a8ffffff)",
    },
  },
  {
    name: "groups taken apart by decree, interrupts not remapped but allowed",
    spec,
    host: on(({ files }) => {
      files["proc/cmdline"] = `${RUNNING_LINE.trim()} pcie_acs_override=downstream,multifunction\n`;
      files["proc/interrupts"] = " 27:  0  PCI-MSI-0000:f1:00.0  0-edge  vfio-msi\n";
      files["sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts"] = "Y\n";
    }),
    faults: ["iommu.interrupt-remapping | warning", "iommu.acs-override | warning", ...RESETS],
  },
  {
    name: "a half-bound card",
    spec,
    host: on((tree) => bind(tree, `${SMALL}.1`, "snd_hda_intel")),
    faults: [`cards.driver | ${RTX} | error`, ...RESETS],
    says: {
      check: "cards.driver",
      seen: "0000:11:00.0: vfio-pci, 0000:11:00.1: snd_hda_intel",
      wanted: "all functions with vfio-pci, or none",
      why: "The card is half-bound: its group cannot go to a guest, and the host cannot use it either.",
      remedy: "./omni gpu bind vfio rtx5090 --dry-run   # shows it; without --dry-run it is done",
    },
  },
  {
    name: "the host's driver took a card at boot",
    spec,
    host: on((tree) => {
      bind(tree, `${SMALL}.0`, "nouveau");
      bind(tree, `${SMALL}.1`, "snd_hda_intel");
    }),
    faults: [`cards.driver | ${RTX} | error`, ...RESETS],
    says: { check: "cards.driver", wanted: "vfio-pci" },
  },
  {
    name: "a card moved from f1:00 to c1:00",
    spec,
    host: on((tree) => {
      unplug(tree, BIG);
      addCard(tree, { slot: "0000:c1:00", id: "10de:2bb1", group: 31, driver: "vfio-pci" });
      addFunction(tree, {
        address: "0000:f1:00.0",
        id: "144d:a80c",
        class: "010802",
        group: 30,
        driver: "nvme",
      });
    }),
    faults: [
      "cards.present | card blackwell (0000:c1:00.0) | error",
      "cards.reset-method | card blackwell (0000:c1:00.0) | note",
      RESET_SMALL,
    ],
    says: {
      check: "cards.present",
      seen: "it is at 0000:c1:00 now; at 0000:f1:00 stands 144d:a80c (class 0x010802)",
      wanted: "0000:f1:00",
      remedy: 'pci: "0000:c1:00" in omni.yaml, then ./omni apply --to metal',
    },
  },
  {
    name: "a card is gone",
    spec,
    host: on((tree) => unplug(tree, BIG)),
    faults: [`cards.present | ${BLACKWELL} | error`, RESET_SMALL],
    says: {
      check: "cards.present",
      seen: "it is not on the bus; nothing stands there",
      wanted: "RTX PRO 6000 Blackwell at 0000:f1:00",
    },
  },
  {
    name: "a card has fallen off the bus",
    spec,
    host: on((tree) => {
      tree.bytes[`${folderOf(tree, `${BIG}.0`)}/config`] = new Uint8Array(64).fill(0xff);
    }),
    faults: [`cards.config-space | ${BLACKWELL} | error`, ...RESETS],
    says: {
      check: "cards.config-space",
      seen: "the configuration of 0000:f1:00.0 reads 0xffffffff",
      why: "The card has fallen off the bus: nothing reaches it, and the next access may hang the host.",
    },
  },
  {
    name: "a card in D3cold",
    spec,
    host: on((tree) => {
      setFile(tree, `${SMALL}.0`, "power_state", "D3cold");
      setFile(tree, `${SMALL}.0`, "power/runtime_status", "suspended");
      setFile(tree, `${SMALL}.0`, "power/control", "auto");
      setFile(tree, `${SMALL}.0`, "d3cold_allowed", "1");
    }),
    faults: [...RESETS, `cards.power-state | ${RTX} | error`],
    says: {
      check: "cards.power-state",
      subject: RTX,
      seen: "0000:11:00.0 is in D3cold (suspended); 0000:11:00.0 may sleep (power/control auto, d3cold_allowed 1)",
      wanted: "D0, power/control on, d3cold_allowed 0",
    },
  },
  {
    name: "a card that nobody can reset",
    spec,
    host: on((tree) => {
      delete tree.files[`${folderOf(tree, `${SMALL}.0`)}/reset_method`];
    }),
    faults: [RESET_BIG, `cards.reset-method | ${RTX} | error`],
    says: {
      check: "cards.reset-method",
      seen: "the kernel knows no way to reset it",
      why: "After its first guest the card stays as that guest left it; the next start hangs or sees old memory. Passthrough is refused.",
    },
  },
  {
    name: "the ROM of another card",
    spec,
    host: on(({ bytes }) => {
      bytes[ROM] = romImage("10de:2684");
    }),
    faults: [...RESETS, `cards.rom | ${RTX} | error`],
    says: { check: "cards.rom", seen: "/usr/share/kvm/palit.rom is for 10de:2684", wanted: "10de:2b85" },
  },
  {
    name: "no ROM",
    spec,
    host: on(({ bytes }) => {
      delete bytes[ROM];
    }),
    faults: [...RESETS, `cards.rom | ${RTX} | error`],
    says: {
      check: "cards.rom",
      seen: "/usr/share/kvm/palit.rom is not there",
      remedy:
        "Read it from the card on the host: echo 1 > rom; cat rom > /usr/share/kvm/palit.rom; echo 0 > rom   # in /sys/bus/pci/devices/0000:11:00.0",
    },
  },
  {
    name: "a ROM that is a web page",
    spec,
    host: on(({ bytes }) => {
      bytes[ROM] = new TextEncoder().encode("<!DOCTYPE html>\n<html>");
    }),
    faults: [...RESETS, `cards.rom | ${RTX} | error`],
    says: {
      check: "cards.rom",
      seen: "/usr/share/kvm/palit.rom is no ROM image: it begins with 3c 21 and not with 55 aa",
    },
  },
  {
    name: "a ROM without UEFI for a guest with OVMF",
    spec,
    host: on(({ bytes }) => {
      bytes[ROM] = romImage("10de:2b85", 0);
    }),
    faults: [...RESETS, `cards.rom | ${RTX} | warning`],
  },
  {
    name: "the firmware shows its screen on a card that is handed over",
    spec,
    host: on((tree) => setFile(tree, `${SMALL}.0`, "boot_vga", "1")),
    faults: [...RESETS, `cards.boot-vga | ${RTX} | warning`],
    says: { check: "cards.boot-vga", seen: "the firmware shows the host's screen on it (boot_vga 1)" },
  },
  {
    name: "Above 4G decoding is off: the memory of a card has no address",
    spec,
    host: on((tree) =>
      setFile(
        tree,
        `${BIG}.0`,
        "resource",
        "0x00000000f4000000 0x00000000f7ffffff 0x0000000000040200\n0x0000000000000000 0x0000001fffffffff 0x000000002014220c",
      ),
    ),
    faults: [...RESETS, `cards.bars | ${BLACKWELL} | error`],
    says: { check: "cards.bars", seen: "BAR 1 (128.00 GiB) has no address" },
  },
  {
    name: "the self-test of a card that nobody uses",
    spec,
    selfTest: true,
    host: on(({ commands }) => {
      commands["sh"] = (args) => (args.at(-1)?.includes(SMALL) === true ? { code: 6 } : { code: 0 });
      commands["fuser"] = { code: 1 };
    }),
    faults: [...RESETS, `cards.reset-self-test | ${RTX} | error`],
    says: {
      check: "cards.reset-self-test",
      subject: RTX,
      seen: "its configuration or its windows are not what they were before the reset",
    },
  },
  {
    name: "no self-test of a card that a VM has",
    spec,
    selfTest: true,
    host: on(({ commands }) => {
      commands["qm status 105"] = "status: running\n";
    }),
    faults: [
      ...RESETS,
      `cards.reset-self-test | ${BLACKWELL} | unknown`,
      `cards.reset-self-test | ${RTX} | unknown`,
    ],
    says: {
      check: "cards.reset-self-test",
      seen: "not tested: VM 105 runs and has it",
      remedy: "qm shutdown 105   # then again",
    },
  },
  {
    name: "a self-test from which the card does not come back",
    spec,
    selfTest: true,
    host: on(({ commands }) => {
      commands["sh"] = { ended: false, why: "timeout", message: "sh did not answer within 30 s" };
      commands["fuser"] = { code: 1 };
    }),
    faults: [
      ...RESETS,
      `cards.reset-self-test | ${BLACKWELL} | error`,
      `cards.reset-self-test | ${RTX} | error`,
    ],
    says: { check: "cards.reset-self-test", seen: "the reset did not come back within 30 s" },
  },
];

test.each(SITUATIONS)("$name", (situation) => check(situation));

test("what keeps a card awake is written now and for every boot", async () => {
  const tree = threadripper();
  setFile(tree, `${SMALL}.0`, "power/control", "auto");
  const findings = await lookAt(tree, spec);
  const { fix } =
    findings.find(({ check, state }) => check === "cards.power-state" && state === "warning") ?? {};
  expect(fix).toEqual({
    title: `Keep ${RTX} awake now and at every boot.`,
    needsReboot: false,
    changes: [
      ...["0", "1"].flatMap((fn) => [
        write("on", `/sys/bus/pci/devices/${SMALL}.${fn}/power/control`),
        write("0", `/sys/bus/pci/devices/${SMALL}.${fn}/d3cold_allowed`),
      ]),
      {
        kind: "write",
        path: "/etc/udev/rules.d/60-omni-rtx5090.rules",
        mode: 0o644,
        content:
          '# Omni: a card that is handed to a guest stays awake; some do not come back from D3.\nACTION=="add", SUBSYSTEM=="pci", KERNEL=="0000:11:00.*", ATTR{power/control}="on", ATTR{d3cold_allowed}="0"\n',
      },
      { kind: "run", argv: ["udevadm", "control", "--reload"], timeout: 10_000 },
    ],
  });
});

const write = (value: string, path: string): object => ({
  kind: "run",
  argv: ["sh", "-c", 'printf %s "$1" >"$2"', "sh", value, path],
  timeout: 20_000,
});
