import { nearest } from "../core/index.ts";
import type { Sourced } from "./fact.ts";

/** Names of the official Talos system extensions, without their `siderolabs/` prefix. */
export const TALOS_EXTENSIONS: Sourced & { readonly names: readonly string[] } = {
  source: "https://github.com/siderolabs/extensions (README)",
  date: "2026-09-30",
  names: [
    "crun",
    "ecr-credential-provider",
    "gvisor",
    "gvisor-debug",
    "harbor-credential-provider",
    "kata-containers",
    "kata-containers-nvidia-gpu-snp",
    "kata-containers-snp",
    "soci-snapshotter",
    "spin",
    "stargz-snapshotter",
    "urunc",
    "wasmedge",
    "youki",
    "libvirtd",
    "amd-ucode",
    "bnx2-bnx2x",
    "chelsio-firmware",
    "intel-ice-firmware",
    "intel-ucode",
    "qlogic-firmware",
    "realtek-firmware",
    "revpi-firmware",
    "amdgpu",
    "i915",
    "intel-npu",
    "panfrost",
    "rockchip-rknn",
    "vc4",
    "xe",
    "amazon-ena",
    "chelsio-drivers",
    "gasket-driver",
    "gpio-pinctrl",
    "hailort",
    "intel-hd-audio",
    "joydev",
    "mei",
    "mellanox-mstflint",
    "tenstorrent",
    "thunderbolt",
    "uhid",
    "uinput",
    "usb-audio-drivers",
    "usb-modem-drivers",
    "v4l-uvc-drivers",
    "xdma-driver",
    "dvb-cx23885",
    "dvb-m88ds3103",
    "dvb-pt3",
    "binfmt-misc",
    "glibc",
    "bird2",
    "cloudflared",
    "lldpd",
    "nebula",
    "netbird",
    "newt",
    "tailscale",
    "zerotier",
    "btrfs",
    "cachefilesd",
    "drbd",
    "fuse3",
    "iscsi-tools",
    "mdadm",
    "multipath-tools",
    "nfs-server",
    "nfs-utils",
    "nfsd",
    "nfsrahead",
    "px-fuse",
    "trident-iscsi-tools",
    "zfs",
    "nut-client",
    "hyperv-guest-agent",
    "metal-agent",
    "qemu-guest-agent",
    "vmtoolsd-guest-agent",
    "xen-guest-agent",
    "nonfree-kmod-nvidia-lts",
    "nonfree-kmod-nvidia-production",
    "nvidia-container-toolkit-lts",
    "nvidia-container-toolkit-production",
    "nvidia-fabricmanager-lts",
    "nvidia-fabricmanager-production",
    "nvidia-gdrdrv-device",
    "nvidia-open-gpu-kernel-modules-lts",
    "nvidia-open-gpu-kernel-modules-production",
    "ctr",
    "nvme-cli",
    "util-linux-tools",
  ],
};

/** Old names that the image factory still takes, with what they became: siderolabs/image-factory, internal/profile. */
const EXTENSION_ALIASES: ReadonlyMap<string, string> = new Map([
  ["nvidia-container-toolkit", "nvidia-container-toolkit-lts"],
  ["nvidia-open-gpu-kernel-modules", "nvidia-open-gpu-kernel-modules-lts"],
  ["nonfree-kmod-nvidia", "nonfree-kmod-nvidia-lts"],
  ["nvidia-fabricmanager", "nvidia-fabricmanager-lts"],
  ["i915-ucode", "i915"],
  ["amdgpu-firmware", "amdgpu"],
  ["xe-guest-utilities", "xen-guest-agent"],
  ["v4l-uvc", "v4l-uvc-drivers"],
  ["usb-modem", "usb-modem-drivers"],
  ["gasket", "gasket-driver"],
  ["talos-vmtoolsd", "vmtoolsd-guest-agent"],
]);

const PREFIX = "siderolabs/";

/** True for `siderolabs/NAME` of an official extension, old names included. */
export function isTalosExtension(name: string): boolean {
  if (!name.startsWith(PREFIX)) return false;
  const bare = name.slice(PREFIX.length);
  return TALOS_EXTENSIONS.names.includes(bare) || EXTENSION_ALIASES.has(bare);
}

/** The official extension nearest to what was typed, with its prefix. */
export function nearestTalosExtension(name: string): string | undefined {
  const bare = name.slice(name.lastIndexOf("/") + 1);
  const near = nearest(bare, [...TALOS_EXTENSIONS.names, ...EXTENSION_ALIASES.keys()]);
  return near === undefined ? undefined : PREFIX + near;
}
