/** Parts of recorded hosts in the words of real ones: a system disk, Docker, cards with their driver, Talos nodes. */
import type { Recording, Said } from "../../../fakes/recorded-host.ts";

export const GB = 1e9;
type Commands = NonNullable<Recording["commands"]>;
type Files = NonNullable<Recording["files"]>;

/** What smartctl says of a disk without trouble. */
export const HEALTHY = JSON.stringify({
  smartctl: { version: [7, 3], exit_status: 0 },
  smart_status: { passed: true },
  nvme_smart_health_information_log: { critical_warning: 0, percentage_used: 3, media_errors: 0 },
});

export interface RecordedDisk {
  readonly name: string;
  readonly serial: string;
  readonly bytes: number;
  readonly number: string;
  /** Where its first partition, or the disk itself, is mounted. */
  readonly mount?: { readonly path: string; readonly filesystem: string; readonly options?: string };
}

/** A disk of sysfs. */
const diskFiles = ({ name, serial, bytes, number }: RecordedDisk): Files => ({
  [`/sys/block/${name}/size`]: `${Math.round(bytes / 512)}\n`,
  [`/sys/block/${name}/dev`]: `${number}\n`,
  [`/sys/block/${name}/queue/rotational`]: "0\n",
  [`/sys/block/${name}/device/serial`]: `${serial}   \n`,
  [`/sys/block/${name}/device/model`]: "Samsung SSD 990 PRO\n",
});

const mountLine = ({ name, number, mount }: RecordedDisk, id: number): string =>
  mount === undefined
    ? ""
    : `${id} 1 ${number} / ${mount.path} rw,relatime shared:1 - ${mount.filesystem} /dev/${name} ${mount.options ?? "rw"}\n`;

const SYSTEM_DISK: RecordedDisk = {
  name: "nvme0n1",
  serial: "S6Z1NX0W100001",
  bytes: 1000 * GB,
  number: "259:0",
  mount: { path: "/", filesystem: "ext4" },
};

/** A Linux with a healthy system disk, and further disks. */
export function linux(
  ...others: readonly RecordedDisk[]
): Recording & { readonly files: Files; readonly commands: Commands } {
  const disks = [SYSTEM_DISK, ...others];
  return {
    files: {
      "/proc/self/mountinfo": disks.map((disk, index) => mountLine(disk, 20 + index)).join(""),
      "/proc/modules": "ext4 1 0 - Live 0x0\n",
      ...Object.assign({}, ...disks.map(diskFiles)),
    },
    commands: {
      smartctl: (args) => (args[0] === "--version" ? "smartctl 7.3 2022-02-28" : HEALTHY),
      df: "Filesystem Inodes IUsed IFree IUse% Mounted on\n/dev/nvme0n1 61054976 812345 60242631 2% /\n",
      stat: "cgroup2fs\n",
      env: "HOME=/root\nLANG=C.UTF-8\n",
      dmesg: "[    0.000000] Linux version 6.8.0-45-generic\n",
      ls: "null\nzero\nsda\n",
      ss: 'LISTEN 0      128          0.0.0.0:22        0.0.0.0:*    users:(("sshd",pid=901,fd=3))\n',
    },
    space: { "/": { size: 1000 * GB, free: 600 * GB } },
  };
}

/** What `docker info` prints; the rest of docker's commands find nothing. */
export const docker =
  (info: Readonly<Record<string, unknown>> = {}) =>
  (args: readonly string[]): Said =>
    args[0] === "info"
      ? JSON.stringify({
          ServerVersion: "28.5.1",
          Driver: "overlay2",
          DockerRootDir: "/var/lib/docker",
          LiveRestoreEnabled: true,
          CgroupVersion: "2",
          DefaultRuntime: "runc",
          Runtimes: { runc: { path: "runc" }, nvidia: { path: "nvidia-container-runtime" } },
          CDISpecDirs: ["/etc/cdi", "/var/run/cdi"],
          ...info,
        })
      : { code: 1, stderr: `Error response from daemon: No such image: ${args.at(-1) ?? ""}` };

export interface RecordedCard {
  readonly pci: string;
  readonly id: string;
  readonly name: string;
  readonly uuid: string;
  readonly capability: string;
}

export const RTX_5090: RecordedCard = {
  pci: "0000:01:00.0",
  id: "10de:2b85",
  name: "NVIDIA GeForce RTX 5090",
  uuid: "GPU-bfbb9aa1-3d36-b47b-988f-5752cfc54601",
  capability: "12.0",
};
export const RTX_4090: RecordedCard = {
  pci: "0000:01:00.0",
  id: "10de:2684",
  name: "NVIDIA GeForce RTX 4090",
  uuid: "GPU-11111111-3d36-b47b-988f-5752cfc54601",
  capability: "8.9",
};

/** A card on the bus, bound to a driver. */
export function cardFiles({ pci, id }: RecordedCard, driver: string): Files {
  const [vendor = "", device = ""] = id.split(":");
  const folder = `/sys/bus/pci/devices/${pci}`;
  return {
    [`${folder}/vendor`]: `0x${vendor}\n`,
    [`${folder}/device`]: `0x${device}\n`,
    [`${folder}/class`]: "0x030000\n",
    [`${folder}/driver`]: { link: `/sys/bus/pci/drivers/${driver}` },
  };
}

/** /proc of a loaded driver. */
const driverFiles = (version: string, flavour: "open" | "proprietary"): Files => ({
  "/proc/driver/nvidia/version": `NVRM version: NVIDIA UNIX ${
    flavour === "open" ? "Open Kernel Module for x86_64" : "x86_64 Kernel Module"
  }  ${version}  Release Build  (dvs-builder@U22)\nGCC version:  gcc version 13.2.0\n`,
  "/proc/modules":
    "nvidia_uvm 4096 0 - Live 0x0\nnvidia_drm 4096 0 - Live 0x0\nnvidia 4096 2 nvidia_uvm, Live 0x0\n",
});

/** nvidia-smi as it answers queries about a card. */
export const smi =
  (card: RecordedCard, driver: string) =>
  (args: readonly string[]): Said => {
    const fields = /^--query-gpu=(.*)$/.exec(args[0] ?? "")?.[1]?.split(",");
    if (fields === undefined)
      return `| NVIDIA-SMI ${driver}   Driver Version: ${driver}   CUDA Version: 13.0 |\n`;
    const values: Readonly<Record<string, string>> = {
      index: "0",
      uuid: card.uuid,
      name: card.name,
      "pci.bus_id": `0000${card.pci}`,
      compute_cap: card.capability,
      driver_version: driver,
      "memory.total": "32607",
      "memory.used": "2",
    };
    return `${fields.map((field) => values[field] ?? "[N/A]").join(", ")}\n`;
  };

/** A Linux with one card that its driver drives. */
export function gpuLinux(
  card: RecordedCard,
  { version, flavour }: { readonly version: string; readonly flavour: "open" | "proprietary" },
): ReturnType<typeof linux> {
  const base = linux();
  return {
    ...base,
    files: { ...base.files, ...cardFiles(card, "nvidia"), ...driverFiles(version, flavour) },
    commands: {
      ...base.commands,
      "nvidia-smi": smi(card, version),
      ls: "null\nnvidia0\nnvidiactl\nnvidia-uvm\nnvidia-uvm-tools\n",
      "nvidia-ctk": "NVIDIA Container Toolkit CLI version 1.18.1\ncommit: 1234\n",
      systemctl: { code: 3, stdout: "inactive\n" },
      ldconfig: "\tlibcuda.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libcuda.so.1\n",
      docker: docker(),
    },
  };
}

/** A description of one card as nvidia-ctk writes it. */
export const cdi = (driver: string): string =>
  `---\ncdiVersion: 0.5.0\nkind: nvidia.com/gpu\ndevices:\n- name: "0"\n  containerEdits:\n    deviceNodes:\n    - path: /dev/nvidia0\n- name: all\ncontainerEdits:\n  mounts:\n  - hostPath: /usr/lib/x86_64-linux-gnu/libcuda.so.${driver}\n`;
