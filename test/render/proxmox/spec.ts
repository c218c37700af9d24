import type { Artifact, Rendered } from "../../../src/render/index.ts";
import { proxmox } from "../../../src/render/proxmox/index.ts";
import { deploymentOf, referenceDeployment } from "../deployments.ts";

export const renderReference = async (name: string): Promise<Rendered> =>
  proxmox.render(await referenceDeployment(name));

/** A rendered file by the end of its path; an empty text fails whatever is asserted about it. */
export const contentOf = (artifacts: readonly Artifact[], name: string): string =>
  artifacts.find(({ path }) => path.endsWith(`/${name}`))?.content ?? "";

/** Codes and paths of the findings, for comparing at a glance. */
export const codes = ({ diagnostics }: Rendered): readonly string[] =>
  diagnostics.map(({ code, path }) => `${code} ${path ?? ""}`);

/** A host with everything: both boot loaders, early binding, a VM with disks and a network card. */
export const FULL = `
omni: 1
name: node
metal:
  platform: proxmox
  address: 192.168.3.10
  cpu: { cores: 32, sockets: 1, nodesPerSocket: NPS2 }
  gpus:
    big: { model: RTX PRO 6000 Blackwell, pci: "0000:F1:00" }
    small: { model: RTX 5090, pci: "0000:11:00", romFile: palit.rom }
  disks:
    data: { serial: S7XX42 }
  boot:
    arguments: [iommu=pt]
    modules: { kvm: [ignore_msrs=1, report_ignored_msrs=0] }
    blacklist: [radeon]
  passthrough: { bind: early }
guest:
  vm:
    id: 105
    cores: 16
    memory: 64GiB
    hugepages: 1GiB
    numa:
      - { cpus: "0-3,8-11", memory: 32GiB, hostNode: 0 }
      - { cpus: "4-7,12-15", memory: 32GiB, hostNode: 1 }
    hostpci: { hostpci0: big, hostpci1: small }
    disks:
      scsi0: { storage: local-zfs, size: 100GB }
      scsi1: { storage: local-zfs, disk: data }
    networks: [{ bridge: vmbr0, vlan: 10 }]
    arguments: ["-fw_cfg", "name=opt/ovmf/X-PciMmio64Mb,string=262144"]
  talos: { version: "1.12.11" }
models: { m: { source: { file: /m.gguf }, size: 1GiB } }
services: { s: { model: m, engine: llama.cpp } }
runtime: docker
`;

/** Renders a variant of the full spec; each replacement must be there. */
export async function renderFull(
  ...replacements: readonly (readonly [from: string, to: string])[]
): Promise<Rendered> {
  let text = FULL;
  for (const [from, to] of replacements) {
    if (!text.includes(from)) throw new Error(`the spec has no ${from}`);
    text = text.replace(from, to);
  }
  return proxmox.render(await deploymentOf(text));
}
