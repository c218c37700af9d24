import { z } from "zod";
import { shorthand } from "./scalars/shorthand.ts";
import { atLeastOne } from "./scalars/choice.ts";
import {
  computeCapability,
  cpuSet,
  freeName,
  gpuUuid,
  host,
  labelName,
  path,
  pciAddress,
  pciId,
  text,
  version,
} from "./scalars/identities.ts";
import { bytes, power, whole } from "./scalars/quantities.ts";

const numaNode = z.strictObject({
  cpus: cpuSet().describe("CPU numbers of the node."),
  memory: bytes().describe("Memory of the node."),
});

const cpu = z.strictObject({
  model: text("a CPU model", "AMD Ryzen Threadripper PRO 9995WX")
    .optional()
    .describe("Model as /proc/cpuinfo names it."),
  sockets: whole(1, 16, 1).optional().describe("Filled sockets.").meta({ default: 1 }),
  cores: whole(1, 4096, 96).optional().describe("Physical cores of all sockets."),
  threads: whole(1, 8192, 192).optional().describe("Hardware threads of all sockets."),
  nodesPerSocket: z
    .enum(["NPS1", "NPS2", "NPS4"])
    .optional()
    .describe("BIOS setting that cuts a socket into NUMA nodes."),
  numa: z.array(numaNode).max(64).optional().describe("NUMA nodes in order, when not left to detection."),
  features: z
    .array(text("a CPU feature", "avx512f"))
    .optional()
    .describe("Instruction sets that CPU executors may count on."),
});

const memory = z.strictObject({
  size: bytes().describe("Installed memory."),
  type: text("a memory type", "DDR5").optional().describe("Kind of memory."),
  channels: whole(1, 64, 8)
    .optional()
    .describe("Filled memory channels; bounds what a CPU executor can read per second."),
  available: bytes()
    .optional()
    .describe("What is left for models after the system, when known better than by rule."),
  hugepages: z
    .strictObject({
      size: z.enum(["2MiB", "1GiB"]).describe("Size of a page."),
      count: whole(1, 1_000_000, 300).describe("Pages reserved at boot."),
    })
    .optional()
    .describe("Hugepages reserved on the boot line."),
});

const gpu = z.strictObject({
  model: text("a GPU model", "RTX 5090").describe("Model by its catalog name or an alias."),
  uuid: gpuUuid()
    .optional()
    .describe("UUID as nvidia-smi -L prints it: the identity that engines are pinned by."),
  pci: pciAddress().optional().describe("PCI address on the host."),
  ids: z
    .array(pciId())
    .min(1)
    .max(4)
    .optional()
    .describe("PCI vendor:device ids of the card's functions, for early binding to vfio-pci."),
  index: whole(0, 63, 0)
    .optional()
    .describe(
      "Position in PCI bus order, for people; pins a card only where it has no uuid, with a warning.",
    ),
  audio: z
    .boolean()
    .optional()
    .describe("The card has an audio function (.1) that moves with it.")
    .meta({ default: true }),
  romFile: text("a file name", "palit.rom")
    .optional()
    .describe("ROM image handed to the VM; Proxmox looks in /usr/share/kvm/."),
  driver: z
    .enum(["vfio-pci", "nvidia", "nouveau"])
    .optional()
    .describe("Driver on the host that owns the card."),
  role: text("a role", "oracle")
    .optional()
    .describe("What the card is for; services of that role prefer it."),
  tier: text("a tier", "tier-1").optional().describe("Name of a group of cards that the owner treats alike."),
  numaNode: whole(0, 63, 0).optional().describe("NUMA node that the card's slot belongs to."),
  link: z
    .strictObject({
      generation: whole(1, 7, 5).optional().describe("PCIe generation the slot runs at."),
      lanes: whole(1, 32, 16).optional().describe("PCIe lanes the slot runs at."),
    })
    .optional()
    .describe("PCIe link as it should be; doctor compares it with what it is."),
  memory: bytes().optional().describe("Memory, when the model is not in the catalog or was modified."),
  computeCapability: computeCapability()
    .optional()
    .describe("Compute capability, when the model is not in the catalog."),
  powerLimit: power().optional().describe("Power limit to hold the card at."),
});

const disk = z
  .strictObject({
    byId: text("a name under /dev/disk/by-id", "nvme-Samsung_SSD_990_PRO_4TB_S7XXNJ0W")
      .optional()
      .describe("Name under /dev/disk/by-id: stable over reboots."),
    serial: text("a serial number in quotes", '"S7XXNJ0W123456"')
      .optional()
      .describe("Serial number: stable over reboots."),
    wwn: text("a world wide name", "eui.0025384b41b0c1d2")
      .optional()
      .describe("World wide name: stable over reboots."),
    device: patternDevice()
      .optional()
      .describe(
        "Kernel name such as /dev/nvme0n1. It can change at every boot, so it draws a warning unless a stable identity stands beside it.",
      ),
    size: bytes().optional().describe("Size; checked before anything is written."),
    role: z
      .enum(["system", "models", "data", "cache"])
      .optional()
      .describe("What the disk is for.")
      .meta({ default: "data" }),
    filesystem: z.enum(["xfs", "ext4", "btrfs", "zfs"]).optional().describe("File system on it."),
    mount: path("/var/mnt/data")
      .optional()
      .describe(
        "Where it is mounted on the node that runs the engines. Enough to name a disk that is mounted already and never formatted.",
      ),
    free: bytes().optional().describe("Free space, when not left to detection."),
    format: z
      .enum(["never", "if-blank"])
      .optional()
      .describe("Whether Omni may make the file system: never, or only on a disk without any signature.")
      .meta({ default: "never" }),
    prepare: z
      .enum(["host", "user-volume", "pod"])
      .optional()
      .describe("Who formats and mounts it: the host, a Talos user volume, or a privileged pod."),
    propagation: z
      .enum(["None", "HostToContainer", "Bidirectional"])
      .optional()
      .describe("Mount propagation of the preparing pod."),
  })
  .check(atLeastOne(["byId", "serial", "wwn", "device", "mount"], "byId: nvme-…   # ls -l /dev/disk/by-id"));

function patternDevice() {
  return path("/dev/nvme0n1").regex(/^\/dev\//);
}

const boot = z.strictObject({
  loader: z
    .enum(["grub", "systemd-boot", "auto"])
    .optional()
    .describe("Boot loader that carries the boot line; auto asks the host.")
    .meta({ default: "auto" }),
  arguments: z
    .array(text("a kernel argument", "iommu=pt"))
    .optional()
    .describe("Arguments of the boot line, each one entry."),
  modules: z
    .record(text("a module name", "vfio-pci"), z.array(text("a module option", "disable_idle_d3=1")))
    .optional()
    .describe("Kernel modules with their options, written to modprobe.d."),
  blacklist: z.array(text("a module name", "nouveau")).optional().describe("Modules the host must not load."),
});

const kernel = z.strictObject({
  pin: version().optional().describe("Kernel ABI to pin, such as 6.8.12-13-pve."),
  package: text("a package", "proxmox-kernel-6.8").optional().describe("Kernel package to install."),
  atMost: version().optional().describe("Newest kernel that is allowed; a newer one is to be downgraded."),
});

const passthrough = z.strictObject({
  script: path("/usr/local/bin/omni-switch")
    .optional()
    .describe("Where the GPU switch script is installed.")
    .meta({ default: "/usr/local/bin/omni-switch" }),
  bind: z
    .enum(["early", "switch"])
    .optional()
    .describe("early: vfio-pci takes the cards at boot; switch: the script moves them later.")
    .meta({ default: "early" }),
  cards: z
    .array(labelName())
    .optional()
    .describe("GPUs that are passed through; all that the guest maps, when absent."),
  order: z
    .array(z.enum(["audio", "video"]))
    .length(2)
    .optional()
    .describe("Order in which the functions of a card are unbound.")
    .meta({ default: ["audio", "video"] }),
});

const driver = z.strictObject({
  version: version().optional().describe("NVIDIA driver version."),
  flavour: z
    .enum(["open", "proprietary"])
    .optional()
    .describe("Kernel modules of the driver; Blackwell works only with open ones."),
  cuda: version().optional().describe("CUDA version that the driver supports."),
});

/** One machine: what is screwed into the case and how it boots. */
export const machineSchema = z.strictObject({
  platform: z
    .enum(["linux", "proxmox", "talos"])
    .optional()
    .describe("What runs on the metal itself.")
    .meta({ default: "linux" }),
  version: version().optional().describe("Version of the platform, such as Proxmox VE 9.1."),
  address: host().optional().describe("Address of the machine."),
  ssh: text("user@host[:port]", "root@192.168.3.10")
    .optional()
    .describe("How the host is reached for checks and changes."),
  cpu: cpu.optional().describe("Processor; detected when absent."),
  memory: memory.optional().describe("Memory; detected when absent."),
  gpus: z
    .record(
      labelName(),
      shorthand(text("a GPU model", "RTX 5090"), gpu, (model) => ({ model })),
    )
    .optional()
    .describe("Cards by a name of your choice; a text alone is the model."),
  disks: z.record(labelName(), disk).optional().describe("Disks by a name of your choice."),
  boot: boot.optional().describe("Boot line and module options of the host."),
  kernel: kernel.optional().describe("Kernel of the host."),
  passthrough: passthrough.optional().describe("How cards are handed to a guest."),
  driver: driver.optional().describe("NVIDIA driver on the host."),
  rootFree: bytes().optional().describe("Free space on the root file system, when not left to detection."),
  labels: z.record(freeName(), z.string()).optional().describe("Labels of your own."),
});
