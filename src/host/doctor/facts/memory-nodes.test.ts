import { expect, test } from "vitest";
import { fakeMachine } from "../../../../test/fakes/fake-machine.ts";
import { memoryNodes } from "./memory-nodes.ts";

test("nodes with their pages, and what of their free memory is in pieces of 2 MiB and more", () => {
  const machine = fakeMachine();
  const at = "sys/devices/system/node";
  machine.files({
    [`${at}/node0/cpulist`]: "0-3\n",
    [`${at}/node0/meminfo`]: "Node 0 MemTotal:       1048576 kB\nNode 0 MemFree:        524288 kB\n",
    [`${at}/node0/hugepages/hugepages-2048kB/nr_hugepages`]: "12\n",
    [`${at}/node0/hugepages/hugepages-2048kB/free_hugepages`]: "5\n",
    [`${at}/node1/cpulist`]: "\n",
    "proc/buddyinfo":
      "Node 0, zone      DMA      0      0      0      0      0      0      0      0      1      1      2\nNode 0, zone   Normal   5000      0      0      0      0      0      0      0      0      3      0\n",
  });
  expect(memoryNodes(machine.root)).toEqual([
    {
      id: 0,
      cpus: "0-3",
      total: 2 ** 30,
      free: 2 ** 29,
      pages: new Map([[2 ** 21, { count: 12, free: 5 }]]),
      whole: (1 + 3) * 2 ** 21 + 2 * 2 ** 22,
    },
    { id: 1, cpus: "", total: 0, free: 0, pages: new Map() },
  ]);
  machine.remove();
});
