import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { proxmox } from "../../../src/render/proxmox/index.ts";
import { deploymentOf, referenceDeployment } from "../deployments.ts";
import { parseGrubWords, parseModprobe, parseProperties, parsePveConfig } from "./parsers.ts";
import { codes, contentOf, FULL, renderFull, renderReference } from "./spec.ts";

const SHELLCHECK = "shellcheck";
const INSTALLED = spawnSync(SHELLCHECK, ["--version"]).status === 0;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-proxmox-files-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The boot line that a host gets from a drop-in, through the shell that really reads it. */
function grubLine(dropIn: string): readonly string[] {
  const file = join(folder, "omni.cfg");
  writeFileSync(file, dropIn);
  const value = execFileSync(
    "sh",
    ["-c", 'GRUB_CMDLINE_LINUX_DEFAULT=quiet; . "$0"; printf %s "$GRUB_CMDLINE_LINUX_DEFAULT"', file],
    { encoding: "utf8" },
  );
  return parseGrubWords(value);
}

describe("omni-prime", () => {
  it("as its owner wrote it: arguments in their order with reasons, pages for the VM, a kernel step that refuses", async () => {
    const rendered = await renderReference("omni-prime");
    const cfg = contentOf(rendered.artifacts, "etc/default/grub.d/omni.cfg");
    expect(grubLine(cfg)).toEqual([
      "quiet",
      "amd_iommu=on",
      "iommu=pt",
      "pcie_aspm=off",
      "vfio_pci.disable_idle_d3=1",
      "default_hugepagesz=2M",
      "hugepagesz=2M",
      "hugepages=143052",
    ]);
    expect(cfg).toContain("`on` is no value of it");
    expect(cfg).toContain("it does not switch power saving of the links off");
    expect(codes(rendered)).toEqual([
      "render.step-refused machines.omni-prime.kernel",
      "render.needs-value guests.omni-prime.vm.disks",
      "render.needs-value guests.omni-prime.vm.networks",
    ]);
    const { settings, notes } = parsePveConfig(contentOf(rendered.artifacts, "105.conf"));
    expect(settings).toMatchObject({ memory: "286102", hugepages: "any", numa: "1" });
    expect(notes).toContain("The NUMA nodes have 286100 MiB together, the VM 286102 MiB");
    // The boot line says it, and a script that moves cards later takes no ids at boot.
    expect(rendered.artifacts.map(({ path }) => path).filter((path) => path.includes("modprobe"))).toEqual(
      [],
    );
  });

  it("has a README with the steps in their order", async () => {
    const { artifacts } = await renderReference("omni-prime");
    const text = contentOf(artifacts, "README.md");
    const order = [
      "scp -r . root@192.168.3.10:omni",
      "./apply.sh --dry-run",
      "--skip kernel",
      "Reboot the host",
      "/usr/local/bin/omni-switch --dry-run to-vfio",
      "omni-talos-1.12.1.iso",
      "./vm-105.sh --dry-run",
      "./vm-105.sh --start",
      "The NUMA nodes have 286100 MiB together",
    ].map((part) => text.indexOf(part));
    expect(order).not.toContain(-1);
    expect(order.toSorted((a, b) => a - b)).toEqual(order);
    // The switch is run by hand, and a VM that starts with the host does not wait for it.
    expect(text).toContain("VM 105 starts with the host (onBoot)");
    const manual = await renderFull(
      ["bind: early", "bind: switch"],
      ["cores: 16", "cores: 16\n    onBoot: false"],
    );
    expect(contentOf(manual.artifacts, "README.md")).not.toContain("onBoot");
  });

  it("corrected: four nodes of 75 GiB on four host nodes, 300 pages, cards by mapping, a ROM by name", async () => {
    const { artifacts } = await renderReference("omni-prime.fixed");
    expect(grubLine(contentOf(artifacts, "etc/default/grub.d/omni.cfg")).slice(1)).toEqual([
      "iommu=pt",
      "pcie_aspm.policy=performance",
      "default_hugepagesz=1G",
      "hugepagesz=1G",
      "hugepages=300",
    ]);
    const { settings, notes } = parsePveConfig(contentOf(artifacts, "105.conf"));
    expect(settings).toEqual({
      agent: "1",
      balloon: "0",
      bios: "ovmf",
      cores: "96",
      cpu: "host",
      hostpci0: "mapping=omni-blackwell,pcie=1",
      hostpci1: "mapping=omni-rtx5090,pcie=1,romfile=palit.rom",
      hugepages: "1024",
      machine: "q35",
      memory: "307200",
      name: "omni-prime",
      numa: "1",
      numa0: "cpus=0-23,hostnodes=0,memory=76800,policy=bind",
      numa1: "cpus=24-47,hostnodes=1,memory=76800,policy=bind",
      numa2: "cpus=48-71,hostnodes=2,memory=76800,policy=bind",
      numa3: "cpus=72-95,hostnodes=3,memory=76800,policy=bind",
      onboot: "1",
      ostype: "l26",
      sockets: "1",
    });
    expect(notes).toMatch(/^Rendered by Omni from omni\.yaml \(omni-prime\)/);
    expect(notes).toContain("hostpci0: the mapping omni-blackwell stands for host=0000:f1:00");
    expect(notes).not.toContain("will not start");
    expect(parseModprobe(contentOf(artifacts, "etc/modprobe.d/omni-modules.conf"))).toEqual([
      { command: "options", module: "vfio-pci", words: ["disable_idle_d3=1"] },
    ]);
    expect(contentOf(artifacts, "vm-105.sh")).toContain("\nTIMEOUT=1200\n");
  });
});

it.each(["leviathan", "leviathan.fixed"])(
  "%s says nothing that Proxmox would have to be told",
  async (name) => {
    const deployment = await referenceDeployment(name);
    expect(proxmox.wanted(deployment)).toBe(false);
    const rendered = proxmox.render(deployment);
    expect(rendered.artifacts).toEqual([]);
    expect(codes(rendered)).toEqual(["render.not-applicable machines.leviathan"]);
  },
);

describe("every file", () => {
  it("says whose it is, is asked for by somebody, and is the same each time", async () => {
    const { artifacts } = await renderFull();
    expect(artifacts.map(({ path, mode }) => `${path} ${mode.toString(8)}`)).toEqual([
      "proxmox/node/README.md 644",
      "proxmox/node/apply.sh 755",
      "proxmox/node/vm-105.sh 755",
      "proxmox/node/105.conf 644",
      "proxmox/node/omni-switch 755",
      "proxmox/node/etc/default/grub.d/omni.cfg 644",
      "proxmox/node/etc/kernel/omni-cmdline 644",
      "proxmox/node/etc/modprobe.d/omni-modules.conf 644",
      "proxmox/node/etc/modprobe.d/omni-vfio.conf 644",
      "proxmox/node/etc/modules-load.d/omni-vfio.conf 644",
    ]);
    for (const { path, content, reason } of artifacts) {
      expect(content.split("\n").slice(0, 4).join("\n"), path).toMatch(/rendered by omni|omni-switch/i);
      expect(content.endsWith("\n"), path).toBe(true);
      expect(reason).toMatch(/^Asked for by /);
    }
    expect((await renderFull()).artifacts).toEqual(artifacts);
  });

  it.skipIf(!INSTALLED)(
    "that is a script passes shellcheck (needs shellcheck, Debian: apt-get install shellcheck)",
    async () => {
      const kernel = ["  passthrough:", '  kernel: { pin: "6.8" }\n  passthrough:'] as const;
      const [full, prime] = [await renderFull(kernel), await renderReference("omni-prime")];
      const unknown = await renderFull([', pci: "0000:F1:00"', ""]);
      const texts = [
        contentOf(full.artifacts, "apply.sh"),
        contentOf(full.artifacts, "vm-105.sh"),
        contentOf(prime.artifacts, "vm-105.sh"),
        contentOf(unknown.artifacts, "apply.sh"),
        contentOf(unknown.artifacts, "vm-105.sh"),
      ];
      const scripts = texts.map((content, index) => {
        const file = join(folder, `${index}.sh`);
        writeFileSync(file, content);
        return file;
      });
      const { stdout, status } = spawnSync(SHELLCHECK, ["-s", "sh", ...scripts], { encoding: "utf8" });
      expect(stdout).toBe("");
      expect(status).toBe(0);
    },
  );
});

describe("modprobe.d", () => {
  it("takes the ids of the spec where every card has them, and waits with its rivals", async () => {
    const { artifacts } = await renderFull(
      ['"0000:F1:00" }', '"0000:F1:00", ids: ["10DE:2bb1", "10de:22e8"] }'],
      ['pci: "0000:11:00"', 'pci: "0000:11:00", ids: ["10de:2b85", "10de:22e8"]'],
    );
    const lines = parseModprobe(contentOf(artifacts, "etc/modprobe.d/omni-vfio.conf"));
    expect(lines[0]).toEqual({
      command: "options",
      module: "vfio-pci",
      words: ["ids=10de:2bb1,10de:22e8,10de:2b85"],
    });
    const soft = lines.filter(({ command }) => command === "softdep");
    expect(soft.map(({ module }) => module)).toEqual(
      expect.arrayContaining(["nvidia", "nouveau", "snd_hda_intel"]),
    );
    expect(soft.every(({ words }) => words.join(" ") === "pre: vfio-pci")).toBe(true);
    expect(lines.filter(({ command }) => command === "blacklist").map(({ module }) => module)).toEqual([
      "nouveau",
      "nvidiafb",
      "nvidia",
    ]);
    expect(lines.at(-1)).toEqual({ command: "options", module: "vfio-pci", words: ["disable_idle_d3=1"] });
  });

  it("blacklists nothing on a host that keeps a card", async () => {
    const { artifacts } = await renderFull([", hostpci1: small", ""]);
    const lines = parseModprobe(contentOf(artifacts, "etc/modprobe.d/omni-vfio.conf"));
    expect(lines.some(({ command }) => command === "blacklist")).toBe(false);
    expect(contentOf(artifacts, "apply.sh")).not.toContain("card_ids small");
  });

  it("binds nothing at boot where the switch script moves the cards", async () => {
    const { artifacts } = await renderFull(["bind: early", "bind: switch"]);
    expect(parseModprobe(contentOf(artifacts, "etc/modprobe.d/omni-vfio.conf"))).toEqual([
      { command: "options", module: "vfio-pci", words: ["disable_idle_d3=1"] },
    ]);
    const modules = contentOf(artifacts, "etc/modules-load.d/omni-vfio.conf").split("\n");
    expect(modules.filter((line) => line !== "" && !line.startsWith("#"))).toEqual([
      "vfio",
      "vfio_iommu_type1",
      "vfio_pci",
    ]);
  });
});

describe("the boot line", () => {
  it("reserves nothing where the owner did, and writes an argument once", async () => {
    const { artifacts } = await renderFull([
      "[iommu=pt]",
      '["iommu=pt hugepagesz=1G hugepages=80", iommu=pt, hugepagesz=2M, hugepages=80, "memmap=16M$4G"]',
    ]);
    const words = [
      "iommu=pt",
      "hugepagesz=1G",
      "hugepages=80",
      "hugepagesz=2M",
      "hugepages=80",
      "memmap=16M$4G",
    ];
    expect(grubLine(contentOf(artifacts, "etc/default/grub.d/omni.cfg")).slice(1)).toEqual(words);
    const plain = contentOf(artifacts, "etc/kernel/omni-cmdline").split("\n");
    expect(
      plain
        .filter((line) => line !== "" && !line.startsWith("#"))
        .join(" ")
        .split(" "),
    ).toEqual(words);
  });

  it("reserves what the spec says of the host, and tells when the VM needs more", async () => {
    const rendered = await renderFull([
      "  disks:\n    data",
      "  memory: { size: 128GiB, hugepages: { size: 1GiB, count: 60 } }\n  disks:\n    data",
    ]);
    expect(grubLine(contentOf(rendered.artifacts, "etc/default/grub.d/omni.cfg")).at(-1)).toBe(
      "hugepages=60",
    );
    expect(rendered.diagnostics[0]?.message).toContain(
      "need 64 hugepages of 1G (64.00 GiB), and the boot line reserves 60",
    );
  });

  it("counts what the spec's own arguments reserve, and a default size alone reserves nothing", async () => {
    const few = await renderFull(["[iommu=pt]", '["hugepagesz=1G hugepages=10"]']);
    expect(few.diagnostics).toMatchObject([{ severity: "error", path: "machines.node.boot.arguments" }]);
    expect(few.diagnostics[0]?.message).toContain(
      "need 64 hugepages of 1G (64.00 GiB), and the boot line reserves 10",
    );
    const size = await renderFull(["[iommu=pt]", "[default_hugepagesz=2M]"]);
    expect(grubLine(contentOf(size.artifacts, "etc/default/grub.d/omni.cfg")).slice(1)).toEqual([
      "default_hugepagesz=2M",
      "hugepagesz=1G",
      "hugepages=64",
    ]);
    expect(size.diagnostics).toEqual([]);
  });

  it("is not enough where one node of the host has to give more than its share", async () => {
    const numa = FULL.slice(FULL.indexOf("    numa:\n"), FULL.indexOf("    hostpci:"));
    const rendered = await renderFull([numa, ""]);
    expect(rendered.diagnostics).toMatchObject([
      { severity: "warning", path: "machines.node.memory.hugepages" },
    ]);
    expect(rendered.diagnostics[0]?.message).toContain(
      "take 64 hugepages of 1G from host node 0, and the boot line's pages are spread evenly over its nodes, 32 each",
    );
    const sockets = await renderFull([numa, "    sockets: 2\n"]);
    expect(sockets.diagnostics).toEqual([]);
  });

  it("comes only in the form that the spec's loader reads", async () => {
    const loader = (name: string) =>
      renderFull(["arguments: [iommu=pt]", `arguments: [iommu=pt]\n    loader: ${name}`]);
    const paths = async (name: string) =>
      (await loader(name)).artifacts.map(({ path }) => path).filter((path) => /grub|cmdline/.test(path));
    expect(await paths("grub")).toEqual(["proxmox/node/etc/default/grub.d/omni.cfg"]);
    expect(await paths("systemd-boot")).toEqual(["proxmox/node/etc/kernel/omni-cmdline"]);
  });
});

describe("a VM of another kind", () => {
  it("is BIOS with i440fx and no UEFI disk, without NUMA, its cards by the owner's mapping", async () => {
    const { artifacts } = await renderFull(
      [
        "cores: 16",
        "cores: 8\n    sockets: 2\n    firmware: seabios\n    machine: i440fx\n    onBoot: false\n    agent: false\n    affinity: 0-15",
      ],
      ["    hugepages: 1GiB\n", ""],
      [/ {4}numa:\n(?: {6}.*\n)+/.exec(FULL)?.[0] ?? "numa", ""],
      [
        "hostpci0: big, hostpci1: small",
        "hostpci0: { gpu: big, mapping: mine, pcie: false, primary: true, romBar: false }",
      ],
      ["bridge: vmbr0, vlan: 10", "bridge: vmbr0, model: e1000e, mac: bc:24:11:00:00:01"],
    );
    const { settings } = parsePveConfig(contentOf(artifacts, "105.conf"));
    expect(settings).toMatchObject({
      bios: "seabios",
      machine: "i440fx",
      sockets: "2",
      numa: "0",
      onboot: "0",
      agent: "0",
      affinity: "0-15",
    });
    expect(settings["efidisk0"]).toBeUndefined();
    expect(parseProperties(settings["hostpci0"] ?? "")).toEqual({
      mapping: "mine",
      rombar: "0",
      "x-vga": "1",
    });
    expect(parseProperties(settings["net0"] ?? "")).toEqual({ e1000e: "BC:24:11:00:00:01", bridge: "vmbr0" });
    expect(contentOf(artifacts, "vm-105.sh")).toContain("\ncheck_mapping mine\n");
  });
});

it("a VM that no Proxmox host carries is said to be left out", async () => {
  const deployment = await deploymentOf(FULL);
  const [host] = deployment.hosts;
  if (host === undefined) throw new Error("no host");
  const [{ machine: _, ...anywhere } = { name: "none" }] = deployment.guests;
  const two = proxmox.render({
    ...deployment,
    guests: [anywhere],
    hosts: [host, { ...host, name: "other" }],
  });
  expect(two.diagnostics[0]?.message).toBe(
    "VM 105 could be on any of node, other, so nothing is rendered for it.",
  );
  const plain = { ...deployment, hosts: [{ ...host, platform: "linux" as const }] };
  expect(proxmox.wanted(plain)).toBe(true);
  expect(proxmox.render(plain).diagnostics[0]?.message).toContain("has no machine that runs Proxmox");
});

it("two guests with one VM number are refused", async () => {
  const deployment = await deploymentOf(FULL);
  const [guest] = deployment.guests;
  if (guest === undefined) throw new Error("no guest");
  const twice = { ...deployment, guests: [guest, { ...guest, name: "second" }] };
  expect(() => proxmox.render(twice)).toThrow("Two guests of node have the VM id 105.");
});
