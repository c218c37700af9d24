import { describe, expect, it } from "vitest";
import { contentOf, FULL, renderFull } from "./spec.ts";

describe("a VM that will not start is rendered as written, with its reason", () => {
  const cases: readonly (readonly [string, readonly [string, string], string, string])[] = [
    ["hugepages without a host node", [", hostNode: 1", ""], "guests.node.vm.numa.1", "names no host node"],
    [
      "a host node that is not there",
      ["hostNode: 1", "hostNode: 2"],
      "guests.node.vm.numa.1.hostNode",
      "node has 2 (0 to 1)",
    ],
    [
      "a processor in two nodes",
      ["4-7,12-15", "3-7,12-15"],
      "guests.node.vm.numa",
      "a processor is in two nodes",
    ],
    [
      "a processor in no node",
      ["4-7,12-15", "4-7,13-15"],
      "guests.node.vm.numa",
      "15 of 16 processors are in a node",
    ],
    [
      "a processor beyond the last",
      ["4-7,12-15", "4-7,12-16"],
      "guests.node.vm.numa",
      "processor 16 is beyond the VM's 16",
    ],
    [
      "sockets whose part is no whole number of pages",
      [
        FULL.slice(FULL.indexOf("    memory: 64GiB"), FULL.indexOf("    hostpci:")),
        "    memory: 63GiB\n    sockets: 2\n    hugepages: 1GiB\n",
      ],
      "guests.node.vm.memory",
      "each of the 2 virtual sockets by 31.50 GiB, which is no whole number of pages of 1G",
    ],
    [
      "more sockets than the host has nodes",
      [
        FULL.slice(FULL.indexOf("    memory: 64GiB"), FULL.indexOf("    hostpci:")),
        "    memory: 64GiB\n    sockets: 4\n    hugepages: 1GiB\n",
      ],
      "guests.node.vm.sockets",
      "virtual socket 3 by host node 3, and the host has 2",
    ],
    [
      "more NUMA nodes than Proxmox knows",
      [
        FULL.slice(FULL.indexOf("    hugepages: 1GiB"), FULL.indexOf("    hostpci:")),
        `    numa:\n${Array.from({ length: 16 }, (_, i) => `      - { cpus: "${i}", memory: 4GiB }\n`).join("")}`,
      ],
      "guests.node.vm.numa",
      "has 16 NUMA nodes, and Proxmox knows numa0 to numa7",
    ],
    [
      "ballooning with cards",
      ["memory: 64GiB", "memory: 64GiB\n    balloon: true"],
      "guests.node.vm.balloon",
      "stays pinned",
    ],
    [
      "a card without an address",
      ['pci: "0000:11:00", ', ""],
      "machines.node.gpus.small.pci",
      "its PCI address is not in the spec",
    ],
    [
      "a disk without a lasting name",
      ["serial: S7XX42", "device: /dev/nvme1n1"],
      "guests.node.vm.disks.scsi1",
      "no identity that survives a reboot",
    ],
    [
      "a mapping that Proxmox takes no such name for",
      ["hostpci0: big", 'hostpci0: { gpu: big, mapping: "5090" }'],
      "guests.node.vm.hostpci.hostpci0.mapping",
      "5090 cannot exist",
    ],
    [
      "a position that no bus has",
      [
        "      scsi0: { storage: local-zfs, size: 100GB }",
        "      scsi31: { storage: local-zfs, size: 100GB }",
      ],
      "guests.node.vm.disks.scsi31",
      "Proxmox has scsi0 to scsi30",
    ],
    ["a new disk without a size", [", size: 100GB", ""], "guests.node.vm.disks.scsi0", "needs a size"],
  ];
  it.each(cases)("%s", async (_, replacement, path, message) => {
    const { diagnostics, artifacts } = await renderFull(replacement);
    expect(diagnostics.map((found) => found.path)).toEqual([path]);
    expect(diagnostics[0]?.message).toContain(message);
    expect(contentOf(artifacts, "105.conf")).toContain("cores: 16");
  });

  it("says nothing twice that the advice says already", async () => {
    const rendered = await renderFull(["memory: 64GiB", "memory: 65GiB"]);
    expect(rendered.diagnostics).toEqual([]);
    expect(contentOf(rendered.artifacts, "105.conf")).toContain(
      "The NUMA nodes have 65536 MiB together, the VM 66560 MiB",
    );
  });
});
