import { z } from "zod";
import { shorthand } from "./scalars/shorthand.ts";
import { atMostOne } from "./scalars/choice.ts";
import { withFacts } from "./scalars/facts.ts";
import { cpuSet, freeName, host, labelName, path, text, url, version } from "./scalars/identities.ts";
import { bytes, duration, whole } from "./scalars/quantities.ts";
import { secret } from "./scalars/secret.ts";

const vmNuma = z.strictObject({
  cpus: cpuSet().describe("Virtual CPUs of the virtual node."),
  memory: bytes().describe("Memory of the virtual node; all nodes together are the VM's memory."),
  hostNode: whole(0, 63, 0).optional().describe("NUMA node of the host that backs it."),
  policy: z
    .enum(["bind", "preferred", "interleave"])
    .optional()
    .describe("How strictly.")
    .meta({ default: "bind" }),
});

const hostpci = z.strictObject({
  gpu: labelName().describe("GPU of the machine."),
  pcie: z
    .boolean()
    .optional()
    .describe("Show it as a PCI Express device (needs machine q35).")
    .meta({ default: true }),
  primary: z.boolean().optional().describe("Use it as the VM's display.").meta({ default: false }),
  mapping: labelName().optional().describe("Proxmox resource mapping to use instead of the raw address."),
  romFile: text("a file name", "palit.rom").optional().describe("ROM image; the GPU's own when absent."),
  romBar: z.boolean().optional().describe("Show the ROM to the guest.").meta({ default: true }),
});

const vmDisk = z.strictObject({
  storage: text("a Proxmox storage", "local-zfs").describe(
    "Proxmox storage, or passthrough of a disk of the machine by name.",
  ),
  size: bytes().optional().describe("Size of the virtual disk."),
  disk: labelName().optional().describe("Disk of the machine that is handed through whole."),
});

const vmNetwork = z.strictObject({
  bridge: text("a bridge", "vmbr0").describe("Bridge of the host."),
  model: z.enum(["virtio", "e1000e"]).optional().describe("Emulated card.").meta({ default: "virtio" }),
  mac: text("a MAC address", "BC:24:11:00:00:01")
    .regex(/^[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}$/)
    .optional()
    .describe("MAC address."),
  vlan: whole(1, 4094, 10).optional().describe("VLAN tag."),
});

const vm = z.strictObject({
  id: whole(100, 999_999_999, 105).describe("Proxmox VM id."),
  name: labelName().optional().describe("Name of the VM; the spec's name when absent."),
  cores: whole(1, 8192, 96).describe("Virtual cores."),
  sockets: whole(1, 16, 1).optional().describe("Virtual sockets.").meta({ default: 1 }),
  cpu: text("a CPU type", "host")
    .optional()
    .describe("CPU type shown to the guest.")
    .meta({ default: "host" }),
  memory: bytes().describe("Memory of the VM."),
  hugepages: z
    .enum(["2MiB", "1GiB", "any"])
    .optional()
    .describe("Back the memory by hugepages of this size."),
  machine: withFacts(z.string().regex(/^(?:pc-)?(?:q35|i440fx)(?:-[\w.+]+)?$/), {
    expected: "a machine type (q35 or i440fx, optionally versioned)",
    example: "q35",
  })
    .optional()
    .describe("Machine type; passthrough as PCI Express needs q35.")
    .meta({ default: "q35" }),
  firmware: z
    .enum(["ovmf", "seabios"])
    .optional()
    .describe(
      "Firmware. It decides where Talos reads kernel arguments: ovmf boots by systemd-boot, seabios by GRUB.",
    )
    .meta({ default: "ovmf" }),
  balloon: z
    .boolean()
    .optional()
    .describe("Memory ballooning; must be off with passthrough.")
    .meta({ default: false }),
  agent: z.boolean().optional().describe("QEMU guest agent.").meta({ default: true }),
  onBoot: z.boolean().optional().describe("Start the VM with the host.").meta({ default: true }),
  affinity: cpuSet().optional().describe("Host CPUs that the VM may use."),
  numa: z.array(vmNuma).max(16).optional().describe("Virtual NUMA nodes in order."),
  hostpci: z
    .record(
      withFacts(z.string().regex(/^hostpci(?:[0-9]|1[0-5])$/), {
        expected: "hostpci0 to hostpci15",
        example: "hostpci0",
      }),
      shorthand(labelName(), hostpci, (gpu) => ({ gpu })),
    )
    .optional()
    .describe("Cards handed through, by slot; a text alone is the GPU's name."),
  disks: z
    .record(text("a bus position", "scsi0").regex(/^(?:scsi|virtio|sata|ide)\d{1,2}$/), vmDisk)
    .optional()
    .describe("Virtual disks by bus position."),
  networks: z.array(vmNetwork).max(8).optional().describe("Virtual network cards in order."),
  arguments: z
    .array(text("a QEMU argument", "-fw_cfg"))
    .optional()
    .describe("Extra arguments to QEMU (root only)."),
  startTimeout: duration()
    .optional()
    .describe("Time allowed to start; large memory with passthrough takes minutes."),
});

const kernelArguments = z.strictObject({
  arguments: z.array(text("a kernel argument", "console=tty0")).describe("Arguments, each one entry."),
  by: z
    .enum(["schematic", "machine-config"])
    .optional()
    .describe(
      "Baked into the image, or patched into the machine config (which only legacy GRUB boots honour).",
    )
    .meta({ default: "schematic" }),
});

const userVolume = z
  .strictObject({
    disk: labelName().optional().describe("Disk of the machine."),
    selector: text("a CEL expression", 'disk.transport == "nvme" && !system_disk')
      .optional()
      .describe("CEL selector instead of a disk."),
    type: z
      .enum(["partition", "disk", "directory"])
      .optional()
      .describe("What the volume takes.")
      .meta({ default: "partition" }),
    filesystem: z.enum(["xfs", "ext4"]).optional().describe("File system.").meta({ default: "xfs" }),
    minSize: bytes().optional().describe("Least size."),
    maxSize: bytes().optional().describe("Greatest size."),
    grow: z.boolean().optional().describe("Grow to the space that is there."),
  })
  .check(atMostOne(["disk", "selector"]));

const talos = z.strictObject({
  version: version().describe("Talos version."),
  schematic: text("a schematic id of 64 hex digits", "remove it; the id follows from the extensions")
    .regex(/^[0-9a-f]{64}$/)
    .optional()
    .describe("Schematic id that is in use; compared with the computed one."),
  factory: url(["https", "http"], "https://factory.talos.dev")
    .optional()
    .describe("Image factory.")
    .meta({ default: "https://factory.talos.dev" }),
  platform: z.enum(["metal", "nocloud"]).optional().describe("Image platform.").meta({ default: "metal" }),
  architecture: z
    .enum(["amd64", "arm64"])
    .optional()
    .describe("Processor architecture.")
    .meta({ default: "amd64" }),
  secureBoot: z.boolean().optional().describe("Use the SecureBoot image.").meta({ default: false }),
  bootloader: z
    .enum(["auto", "dual-boot", "grub", "sd-boot"])
    .optional()
    .describe("Boot loader in the image.")
    .meta({ default: "auto" }),
  extensions: z
    .array(text("an extension", "siderolabs/qemu-guest-agent"))
    .optional()
    .describe("System extensions; their order is part of the schematic id."),
  kernelArguments: shorthand(z.array(text("a kernel argument", "console=tty0")), kernelArguments, (list) => ({
    arguments: list,
  }))
    .optional()
    .describe("Extra kernel arguments; a list alone goes into the schematic."),
  modules: z
    .record(
      text("a module", "nvidia_drm"),
      z.union([z.array(text("a parameter", "modeset=0")), z.null().transform((): string[] => [])]),
    )
    .optional()
    .describe("Kernel modules that Talos loads, each with its parameters (an empty list for none)."),
  sysctls: z
    .record(text("a sysctl", "net.core.bpf_jit_harden"), z.union([z.string(), z.int()]))
    .optional()
    .describe("Sysctls. Talos takes texts only; a number is kept as typed and draws advice."),
  userVolumes: z
    .record(
      withFacts(z.string().regex(/^[A-Za-z0-9-]{1,34}$/), {
        expected: "a volume name of 1 to 34 letters, digits and hyphens",
        example: "data",
      }),
      userVolume,
    )
    .optional()
    .describe("User volumes, mounted at /var/mnt/NAME."),
  installDisk: labelName()
    .optional()
    .describe("Disk of the machine (or virtual disk) that Talos is installed on."),
  meta: z
    .record(whole(0, 255, 10).or(z.string().regex(/^\d{1,3}$/)), z.string())
    .optional()
    .describe("META values of the image by their number."),
  patches: z
    .array(path("patches/network.yaml"))
    .optional()
    .describe("Machine config patches of your own, appended last."),
});

const kubernetes = z.strictObject({
  version: version().describe("Kubernetes version."),
  distribution: z.enum(["talos", "kubeadm", "k3s", "rke2"]).optional().describe("Who installed it."),
  clusterName: labelName().optional().describe("Cluster name; the spec's name when absent."),
  endpoint: url(["https"], "https://192.168.3.2:6443").optional().describe("API server."),
  cni: z
    .enum(["flannel", "cilium", "calico", "none"])
    .optional()
    .describe("Network plugin; flannel alone does not enforce network policies."),
  networkPolicies: z
    .boolean()
    .optional()
    .describe("The network plugin enforces network policies; by the plugin when absent."),
  podSubnet: withFacts(z.string(), { expected: "a network in CIDR form", example: "10.244.0.0/16" })
    .optional()
    .describe("Network of the pods."),
  serviceSubnet: withFacts(z.string(), { expected: "a network in CIDR form", example: "10.96.0.0/12" })
    .optional()
    .describe("Network of the services."),
  gpuOperator: z
    .strictObject({
      version: version().optional().describe("Chart version."),
      validationWorkaround: z
        .boolean()
        .optional()
        .describe("Write the validation markers that a Talos node lacks after each boot.")
        .meta({ default: false }),
    })
    .optional()
    .describe("NVIDIA GPU operator, where it is installed."),
  devicePlugin: z.boolean().optional().describe("NVIDIA device plugin without the operator."),
  nodes: z
    .record(
      labelName(),
      z.strictObject({
        address: host().optional().describe("Address of the node."),
        role: z
          .enum(["control-plane", "worker", "both"])
          .optional()
          .describe("Role of the node.")
          .meta({ default: "both" }),
        gpus: z
          .array(labelName())
          .optional()
          .describe("GPUs that the node sees; all of its machine when absent."),
        machine: labelName().optional().describe("Machine that the node runs on."),
        labels: z.record(freeName(), z.string()).optional().describe("Node labels."),
      }),
    )
    .optional()
    .describe("Nodes by name."),
});

const registry = z.strictObject({
  address: text("host[:port]", "192.168.3.10:5000").describe("Host and port of the registry."),
  insecure: z.boolean().optional().describe("Plain HTTP.").meta({ default: false }),
  mirrorOf: z.array(text("a registry", "docker.io")).optional().describe("Registries that it mirrors."),
  username: text("a user name", "omni").optional().describe("User name."),
  password: secret().optional().describe("Password."),
});

/** What runs between the metal and the engines: a VM, its operating system, its cluster, its registries. */
export const guestSchema = z
  .strictObject({
    machine: labelName().optional().describe("Machine that carries the guest, where there are several."),
    vm: vm.optional().describe("Virtual machine; absent when the system runs on the metal."),
    talos: talos.optional().describe("Talos Linux."),
    linux: z
      .strictObject({
        distribution: text("a distribution", "ubuntu").describe("Distribution."),
        version: version().optional().describe("Release."),
      })
      .optional()
      .describe("Another Linux."),
    kubernetes: kubernetes.optional().describe("Kubernetes as installed."),
    registries: z.record(labelName(), registry).optional().describe("Container registries by name."),
    address: host().optional().describe("Address of the guest."),
  })
  .check(atMostOne(["talos", "linux"]));
