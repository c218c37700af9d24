import { test } from "vitest";
import { edit } from "../../../fakes/hosts/host-tree.ts";
import type { HostTree } from "../../../fakes/hosts/host-tree.ts";
import {
  memoryModule,
  setPages,
  THREADRIPPER_SPEC,
  threadripper,
} from "../../../fakes/hosts/threadripper.ts";
import { workstation, WORKSTATION_SPEC } from "../../../fakes/hosts/workstation.ts";
import { changed, check } from "./situation.ts";
import type { Situation } from "./situation.ts";

const RESETS = [
  "cards.reset-method | card blackwell (0000:f1:00.0) | note",
  "cards.reset-method | card rtx5090 (0000:11:00.0) | note",
] as const;
const spec = THREADRIPPER_SPEC;
const on = (change: (tree: HostTree) => void): (() => HostTree) => changed(threadripper, change);

/** The same host with guests in pages of 2 MiB, of which node 2 has almost none. */
const SMALL_PAGES = spec
  .replace("hugepages: { size: 1GiB, count: 300 }", "hugepages: { size: 2MiB, count: 153600 }")
  .replace("hugepages: 1GiB", "hugepages: 2MiB");
const smallPages = (buddyinfo: string): (() => HostTree) =>
  on((tree) => {
    const { files } = tree;
    const words = "default_hugepagesz=2M hugepagesz=2M hugepages=153600";
    for (const path of ["proc/cmdline", "etc/default/grub"])
      edit(tree, path, "default_hugepagesz=1G hugepagesz=1G hugepages=300", words);
    for (const node of [0, 1, 2, 3]) {
      const at = `sys/devices/system/node/node${node}/hugepages/hugepages-2048kB`;
      files[`${at}/nr_hugepages`] = node === 2 ? "34400\n" : "38400\n";
      files[`${at}/free_hugepages`] = node === 2 ? "34400\n" : "38400\n";
    }
    files["proc/buddyinfo"] = buddyinfo;
  });

const WITH_ENGINE = `${WORKSTATION_SPEC}
models:
  chat: builtin:omni-demo
services:
  chat: { model: chat, engine: llama.cpp, devices: cpu }
`;

const SITUATIONS: readonly Situation[] = [
  {
    name: "hugepages are short on node 2",
    spec,
    host: on((tree) => {
      setPages(tree, 2, 61, 61);
      setPages(tree, 3, 89, 89);
    }),
    faults: [...RESETS, "memory.hugepages | pages of 1 GiB on node 2 | error"],
    says: {
      check: "memory.hugepages",
      seen: "61 are reserved",
      wanted: "75",
      why: "The guest takes exactly these from this node and does not start without them.",
    },
  },
  {
    name: "memory of node 2 is fragmented",
    spec: SMALL_PAGES,
    // 512 free pieces of 2 MiB, and 16 GiB free in all.
    host: smallPages("Node 2, zone   Normal   900 800 700 600 500 400 300 200 100 512 0\n"),
    faults: [...RESETS, "memory.hugepages | pages of 2 MiB on node 2 | error"],
    says: {
      check: "memory.hugepages",
      seen: "34400 are reserved; 16.00 GiB are free, and only 1.00 GiB of it in pieces of 2 MiB: memory is fragmented",
      wanted: "38400",
    },
  },
  {
    name: "pages of 2 MiB are short, and there is room for more",
    spec: SMALL_PAGES,
    host: smallPages("Node 2, zone   Normal   0 0 0 0 0 0 0 0 0 0 4000\n"),
    faults: [...RESETS, "memory.hugepages | pages of 2 MiB on node 2 | error"],
    says: {
      check: "memory.hugepages",
      seen: "34400 are reserved; enough free memory in one piece is there",
    },
  },
  {
    name: "no guest runs, and somebody has its pages",
    spec,
    host: on((tree) => setPages(tree, 1, 75, 11)),
    faults: [...RESETS, "memory.hugepages | pages of 1 GiB on node 1 | warning"],
    says: { check: "memory.hugepages", seen: "11 are free, and no guest of the spec runs", wanted: "75" },
  },
  {
    name: "the guest runs and has its pages",
    spec,
    host: on((tree) => {
      tree.commands["qm status 105"] = "status: running\n";
      for (const node of [0, 1, 2, 3]) setPages(tree, node, 75, 0);
    }),
    faults: RESETS,
  },
  {
    name: "NPS1 where the spec and its guest want four nodes",
    spec,
    host: on((tree) => {
      for (const path of Object.keys(tree.files))
        if (/system\/node\/node[123]/.test(path)) delete tree.files[path];
      setPages(tree, 0, 300, 300);
    }),
    faults: [
      ...RESETS,
      "memory.numa | nodes | error",
      "memory.hugepages | node 1 | error",
      "memory.hugepages | node 2 | error",
      "memory.hugepages | node 3 | error",
    ],
    says: {
      check: "memory.numa",
      seen: "1 node of 94.00 GiB",
      wanted: "4 nodes (NPS4)",
      remedy: 'Set "NUMA nodes per socket" in the BIOS to NPS4, or correct cpu in omni.yaml.',
    },
  },
  {
    name: "a memory module does not answer",
    spec,
    host: on(({ files, commands }) => {
      files["proc/meminfo"] = `MemTotal: ${329 * 2 ** 20} kB\nMemAvailable: ${60 * 2 ** 20} kB\n`;
      commands["dmidecode --type 17"] = Array.from({ length: 8 }, (_, channel) =>
        memoryModule(channel, channel === 5 ? "No Module Installed" : "48 GB"),
      ).join("\n");
    }),
    faults: [...RESETS, "memory.size | error", "memory.channels | filled | warning"],
    says: {
      check: "memory.channels",
      seen: "7 channels are filled; empty: P0 CHANNEL F",
      wanted: "8",
      why: "Layers in main memory are read at 88 % of the speed that was planned.",
    },
  },
  {
    name: "the processor cannot run guests, and its clocks are held down",
    spec,
    host: on((tree) => {
      const { files } = tree;
      edit(tree, "proc/cpuinfo", " svm", "");
      files["sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"] = "powersave\n";
      files["sys/devices/system/cpu/cpu0/cpufreq/scaling_driver"] = "acpi-cpufreq\n";
    }),
    faults: [...RESETS, "memory.firmware | error", "memory.governor | note"],
    says: {
      check: "memory.firmware",
      seen: "the processor shows no svm",
      remedy: 'Turn "SVM mode" on in the BIOS.',
    },
  },
  {
    name: "NPS4 on one socket, and llama.cpp",
    spec: WITH_ENGINE,
    host: changed(workstation, ({ files }) => {
      for (const node of [0, 1, 2, 3]) {
        files[`sys/devices/system/node/node${node}/cpulist`] = `${node * 4}-${node * 4 + 3}\n`;
        files[`sys/devices/system/node/node${node}/meminfo`] =
          `Node ${node} MemTotal: ${16 * 2 ** 20} kB\nNode ${node} MemFree: ${8 * 2 ** 20} kB\n`;
      }
    }),
    faults: ["memory.numa | engines | warning"],
    says: {
      check: "memory.numa",
      seen: "4 nodes on 1 socket, and chat (llama.cpp)",
      wanted: "NPS1",
    },
  },
  {
    name: "transparent hugepages are off where an engine computes",
    spec: WITH_ENGINE,
    host: changed(workstation, ({ files }) => {
      files["sys/kernel/mm/transparent_hugepage/enabled"] = "always madvise [never]\n";
    }),
    faults: ["memory.transparent-hugepages | note"],
  },
  {
    name: "memory is swapped out under a model that fills a third of it",
    spec: WITH_ENGINE,
    host: changed(workstation, ({ files }) => {
      files["proc/meminfo"] =
        `MemTotal: ${64 * 2 ** 10} kB\nMemAvailable: ${32 * 2 ** 10} kB\nSwapTotal: ${8 * 2 ** 20} kB\nSwapFree: ${6 * 2 ** 20} kB\n`;
    }),
    faults: ["memory.swap | note"],
  },
];

test.each(SITUATIONS)("$name", (situation) => check(situation));
