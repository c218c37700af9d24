/** Codes of findings about a spec that is well formed: what the field learned the hard way. Registered in `codes.ts`. */
const advice = (title: string, remedy: string): { title: string; remedy: string; exit: 2 } => ({
  title,
  remedy,
  exit: 2,
});

export const ADVICE_CODES = {
  "gpu-needs-open-modules": advice(
    "Blackwell and later cards work only with NVIDIA's open kernel modules.",
    "Use siderolabs/nvidia-open-gpu-kernel-modules-lts (Talos) or the open driver flavour.",
  ),
  "module-flavour-mismatch": advice(
    "NVIDIA kernel modules and container toolkit are of different branches.",
    "Take both from -lts or both from -production.",
  ),
  "talos-kernel-args-ignored": advice(
    "Kernel arguments in the machine config do not reach the kernel on this boot path.",
    "Put them into the schematic (guest.talos.kernelArguments as a list).",
  ),
  "talos-module-parameter-on-cmdline": advice(
    "Talos loads modules without looking at the boot line, so a module parameter there has no effect.",
    "Write it under guest.talos.modules.",
  ),
  "schematic-id-differs": advice(
    "The schematic id is not the one that the listed extensions and arguments have.",
    "Use the computed id, or correct the list.",
  ),
  "sysctl-not-string": advice("Talos takes sysctls as texts only.", "Put the value in quotes."),
  "amd-iommu-on-noop": advice(
    "amd_iommu=on is no value that the kernel knows; the AMD IOMMU is on by default.",
    "Remove it.",
  ),
  "pcie-aspm-off-noop": advice(
    "pcie_aspm=off leaves power saving as the firmware set it.",
    "Write pcie_aspm.policy=performance.",
  ),
  "kernel-pin-contradiction": advice(
    "The kernel that is asked for is newer than the newest that is allowed.",
    "Correct the pin, the package or the bound.",
  ),
  "kernel-unexpected-for-pve": advice(
    "This Proxmox VE expects another kernel line.",
    "Use the kernel that the release comes with.",
  ),
  "romfile-path": advice(
    "Proxmox looks for ROM files in /usr/share/kvm/ only.",
    "Put the file there and name it without a folder.",
  ),
  "hostpci-needs-q35": advice(
    "A card shown as PCI Express needs machine type q35.",
    "Write machine: q35 under the VM.",
  ),
  "numa-memory-sum": advice(
    "The VM's NUMA nodes do not add up to its memory, or not to whole pages.",
    "Make the parts sum to the memory, each a multiple of the page size.",
  ),
  "threads-exceed-vcpus": advice(
    "More threads than processors slow generation down.",
    "Use at most the cores that the engine has.",
  ),
  "gpu-double-pinned": advice(
    "A card is pinned by hand and counted by the scheduler at the same time.",
    "Keep one of the two.",
  ),
  "gpu-uuid-unknown": advice(
    "A service names a GPU UUID that no card of the spec has.",
    "Correct the UUID, or add the card.",
  ),
  "arch-not-compiled": advice(
    "The engine carries no code for this card's architecture.",
    "Build for the card's compute capability, or use an image that has it.",
  ),
  "quantization-unsupported": advice(
    "The engine has no kernels for this quantization on this card.",
    "Use another quantization, card or engine.",
  ),
  "attention-unsupported": advice(
    "The engine has no attention kernels for this model on this card.",
    "Use another engine or KV cache type.",
  ),
  "network-not-isolated": advice(
    "A service that must not reach out is attached to a network with a way out.",
    "Attach it to the internal network only and put the gateway on both.",
  ),
  "network-policy-not-enforced": advice(
    "The cluster's network plugin does not enforce network policies.",
    "Use Cilium or Calico, or Talos 1.13 with kubeNetworkPoliciesEnabled.",
  ),
  "disk-by-unstable-name": advice(
    "A disk is known by a kernel name that can change at the next boot.",
    "Add its serial, wwn or byId.",
  ),
  "host-path-read-only": advice(
    "The kubelet sees this path read-only, so a missing folder cannot be created.",
    "Mount a user volume there instead of DirectoryOrCreate.",
  ),
  "image-not-pinned": advice(
    "The image is named without a version, so another one may run tomorrow.",
    "Name a tag, best with a digest.",
  ),
  "model-size-claim": advice(
    "The claimed size is not the size of this model in this quantization.",
    "Correct the size or the quantization.",
  ),
  "does-not-fit": advice(
    "The service does not fit where it is put.",
    "Follow the alternative shown, or use another quantization, card or context.",
  ),
  "not-fully-resident": advice(
    "The model cannot be on the cards as a whole.",
    "Say which part stays in main memory (cpuMoe, gpuLayers).",
  ),
  "gguf-in-vllm": advice(
    "This engine does not serve this model from GGUF files.",
    "Use llama.cpp for GGUF, or safetensors.",
  ),
  "disk-too-small": advice(
    "What is stored on a disk is larger than its free space.",
    "Use another disk, a smaller quantization or a smaller image.",
  ),
  "port-conflict": advice("Two services claim one port.", "Give each a port of its own."),
  "shm-not-in-limit": advice(
    "Shared memory counts against the memory limit, which does not leave room for it.",
    "Raise the limit above shm plus what the engine itself needs.",
  ),
  "fallback-context-too-small": advice(
    "A fallback cannot take the prompts of the service it stands in for.",
    "Give it as much context, or route by prompt length.",
  ),
  "rolling-update-deadlock": advice(
    "A rolling update waits for a second card that is not there.",
    "Use strategy: recreate.",
  ),
} as const;
