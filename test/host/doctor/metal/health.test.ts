import { test } from "vitest";
import { bind, setFile } from "../../../fakes/hosts/host-tree.ts";
import type { HostTree } from "../../../fakes/hosts/host-tree.ts";
import { HEALTHY, nvidiaSmi } from "../../../fakes/hosts/nvidia-smi-words.ts";
import type { SmiCard } from "../../../fakes/hosts/nvidia-smi-words.ts";
import { CARD, workstation, WORKSTATION_SPEC } from "../../../fakes/hosts/workstation.ts";
import { changed, check } from "./situation.ts";
import type { Situation } from "./situation.ts";

const spec = WORKSTATION_SPEC;
const on = (change: (tree: HostTree) => void): (() => HostTree) => changed(workstation, change);
const saying = (words: SmiCard): (() => HostTree) =>
  on(({ commands }) => {
    commands["nvidia-smi"] = nvidiaSmi({ ...HEALTHY, ...words });
  });
/** Lines as journalctl prints them with --output=short-unix; the host was started at 1767100000. */
const logged =
  (...lines: readonly string[]): ((tree: HostTree) => void) =>
  ({ commands }) => {
    commands["journalctl"] = `${lines.join("\n")}\n`;
  };
const UNANSWERED = "driver.answers | RTX 5090 (0000:11:00.0) | error";
const OFF_THE_BUS =
  "1767222000.123456 desk kernel: NVRM: Xid (PCI:0000:11:00): 79, pid=1187, name=llama-server, GPU has fallen off the bus.";
const GSP =
  "Xid (PCI:0000:11:00): 119, pid=1187, name=vllm, Timeout after 6s of waiting for RPC response from GPU0 GSP! Expected function 76 (GSP_RM_CONTROL).";

const SITUATIONS: readonly Situation[] = [
  {
    name: "all well, and an idle card at Gen1 is no fault",
    spec,
    host: workstation,
    faults: [],
    says: { check: "cards.link", state: "ok", seen: "x16 Gen1 of 5, as an idle card runs" },
  },
  {
    name: "after Xid 79",
    spec,
    host: on(logged(OFF_THE_BUS)),
    faults: [`cards.xid | ${CARD} | error`],
    says: {
      check: "cards.xid",
      seen: "Xid 79 once, last 60 min ago: the GPU has fallen off the bus",
      why: "pid=1187, name=llama-server, GPU has fallen off the bus.",
      remedy:
        "The machine has to be restarted, best with the power off for a moment; if the card falls off again, check its power cables, its seat or riser, and its temperature.",
      source: "https://docs.nvidia.com/deploy/xid-errors/",
    },
  },
  {
    name: "after Xid 119, which came twice",
    spec,
    host: on(logged(`1767220000.1 desk kernel: NVRM: ${GSP}`, `1767224000.1 desk kernel: NVRM: ${GSP}`)),
    faults: [`cards.xid | ${CARD} | error`],
    says: {
      check: "cards.xid",
      seen: "Xid 119 2 times, last 27 min ago: the GPU system processor (GSP) did not answer in time",
      remedy:
        "Stop everything that uses the card, then reset it: nvidia-smi --gpu-reset -i GPU-bfbb9aa1-3d36-b47b-988f-5752cfc54601; if that is refused, restart the machine.",
    },
  },
  {
    name: "Xid 79 before the last boot, and Xid 63 since",
    spec,
    host: on(
      logged(
        OFF_THE_BUS.replace("1767222000", "1767000000"),
        "1767224000.1 desk kernel: NVRM: Xid (PCI:0000:11:00): 63, pid='<unknown>', name=<unknown>, Row Remapper: New row marked for remapping, reset gpu to activate.",
      ),
    ),
    faults: [`cards.xid | ${CARD} | note`, `cards.xid | ${CARD} | note`],
    says: {
      check: "cards.xid",
      seen: "Xid 79 once before the last boot, last 3 days ago: the GPU has fallen off the bus",
    },
  },
  {
    name: "the driver says what recovery takes",
    spec,
    host: on(
      logged(
        "1767224000.1 desk kernel: NVRM: Xid (PCI:0000:11:00): 154, GPU recovery action changed from 0x0 (None) to 0x2 (Node Reboot Required)",
      ),
    ),
    faults: [`cards.xid | ${CARD} | error`],
  },
  {
    name: "the kernel's log may not be read",
    spec,
    host: on(({ commands }) => {
      commands["journalctl"] = {
        code: 1,
        stderr: "No journal files were opened due to insufficient permissions.\n",
      };
      commands["dmesg"] = { code: 1, stderr: "dmesg: read kernel buffer failed: Operation not permitted\n" };
    }),
    faults: ["cards.xid | unknown"],
    says: {
      check: "cards.xid",
      seen: "the kernel's log cannot be read: dmesg: read kernel buffer failed: Operation not permitted",
    },
  },
  {
    name: "a remapped row is pending",
    spec,
    host: saying({
      "ecc.errors.uncorrected.volatile.total": "0",
      "remapped_rows.uncorrectable": "1",
      "remapped_rows.pending": "Yes",
      "remapped_rows.failure": "No",
    }),
    faults: [`cards.memory-errors | ${CARD} | warning`],
    says: {
      check: "cards.memory-errors",
      seen: "a remapped row is pending",
      remedy:
        "Stop everything that uses the card, then nvidia-smi --gpu-reset -i GPU-bfbb9aa1-3d36-b47b-988f-5752cfc54601; or reboot.",
    },
  },
  {
    name: "a row could not be remapped",
    spec,
    host: saying({
      "remapped_rows.uncorrectable": "8",
      "remapped_rows.pending": "No",
      "remapped_rows.failure": "Yes",
    }),
    faults: [`cards.memory-errors | ${CARD} | error`],
  },
  {
    name: "errors of the memory that were not corrected",
    spec,
    host: saying({
      "ecc.errors.uncorrected.volatile.total": "3",
      "ecc.errors.uncorrected.aggregate.total": "3",
    }),
    faults: [`cards.memory-errors | ${CARD} | error`],
    says: {
      check: "cards.memory-errors",
      seen: "3 errors of its memory since the driver was loaded that could not be corrected",
    },
  },
  {
    name: "x8 instead of x16, and Gen3 under load",
    spec,
    host: on((tree) => {
      setFile(tree, "0000:11:00.0", "current_link_width", "8");
      tree.commands["nvidia-smi"] = nvidiaSmi({
        ...HEALTHY,
        "utilization.gpu": "96",
        "pcie.link.gen.current": "3",
        "pcie.link.width.current": "8",
      });
    }),
    faults: [`cards.link | ${CARD} | warning`],
    says: {
      check: "cards.link",
      seen: "the link runs at x8; the link runs at Gen3 while the card is 96 % busy",
      wanted: "x16 Gen5",
    },
  },
  {
    name: "a slot of an older generation",
    spec,
    host: saying({ "pcie.link.gen.max": "4" }),
    faults: [`cards.link | ${CARD} | warning`],
    says: { check: "cards.link", seen: "the slot and the card agree on Gen4 at most", wanted: "Gen5" },
  },
  {
    name: "persistence mode is off",
    spec,
    host: saying({ persistence_mode: "Disabled" }),
    faults: [`cards.persistence | ${CARD} | warning`],
    says: {
      check: "cards.persistence",
      seen: "persistence mode is off",
      fix: {
        title: `Turn persistence mode on for ${CARD}.`,
        needsReboot: false,
        changes: [
          {
            kind: "run",
            argv: ["nvidia-smi", "-i", "GPU-bfbb9aa1-3d36-b47b-988f-5752cfc54601", "-pm", "1"],
            timeout: 30_000,
          },
        ],
      },
    },
  },
  {
    name: "another power limit than the spec's",
    spec,
    host: saying({ "enforced.power.limit": "450.00" }),
    faults: [`cards.power-limit | ${CARD} | warning`],
    says: {
      check: "cards.power-limit",
      seen: "450 W",
      wanted: "600 W",
      remedy: "nvidia-smi -i GPU-bfbb9aa1-3d36-b47b-988f-5752cfc54601 -pl 600   # and again at every boot",
    },
  },
  {
    name: "a hot card that slows down; a power cap alone is none of that",
    spec,
    host: saying({ "temperature.gpu": "93", "clocks_event_reasons.active": "0x0000000000000064" }),
    faults: [`cards.throttle | ${CARD} | warning`],
    says: { check: "cards.throttle", seen: "93 °C, it is too hot, it is too hot (hardware)" },
  },
  {
    name: "a card at its power cap",
    spec,
    host: saying({
      "clocks_event_reasons.active": "0x0000000000000004",
      "utilization.gpu": "99",
      "pcie.link.gen.current": "5",
    }),
    faults: [],
  },
  {
    name: "module and library of the driver do not match",
    spec,
    host: on(({ commands }) => {
      commands["nvidia-smi"] = {
        code: 18,
        stdout: "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 580.105\n",
      };
    }),
    faults: [UNANSWERED],
    says: {
      check: "driver.answers",
      seen: "module unknown is loaded, the library is 580.105",
    },
  },
  {
    name: "proprietary modules on Blackwell: the driver lists no card",
    spec,
    host: on(({ commands }) => {
      commands["nvidia-smi"] = "No devices were found\n";
    }),
    faults: [UNANSWERED],
    says: { check: "driver.answers", seen: "nvidia-smi says: No devices were found" },
  },
  {
    name: "Resizable BAR is off",
    spec,
    host: on((tree) =>
      setFile(
        tree,
        "0000:11:00.0",
        "resource",
        "0x00000000f4000000 0x00000000f7ffffff 0x0000000000040200\n0x0000028000000000 0x000002800fffffff 0x000000000014220c",
      ),
    ),
    faults: [`cards.bars | ${CARD} | note`],
    says: { check: "cards.bars", seen: "BAR 1 shows 256.00 MiB" },
  },
  {
    name: "no driver has the card of the spec, which says nvidia",
    spec: spec.replace("powerLimit: 600W", "driver: nvidia"),
    host: on((tree) => {
      bind(tree, "0000:11:00.0", undefined);
      tree.commands["nvidia-smi"] = {
        ended: false,
        why: "absent",
        message: "nvidia-smi: spawn nvidia-smi ENOENT",
      };
    }),
    faults: [`cards.driver | ${CARD} | warning`, UNANSWERED],
  },
];

test.each(SITUATIONS)("$name", (situation) => check(situation));
