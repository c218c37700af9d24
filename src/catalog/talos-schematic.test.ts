import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { talosSchematicId, talosSchematicText } from "./talos-schematic.ts";
import type { TalosCustomization } from "./talos-schematic.ts";

const extensions = (...names: string[]): TalosCustomization => ({
  officialExtensions: names.map((name) => `siderolabs/${name}`),
});
const omniPrime = (toolkit: string, modules: string, ...extraKernelArgs: string[]): TalosCustomization => ({
  ...extensions("amd-ucode", toolkit, modules, "qemu-guest-agent", "util-linux-tools"),
  extraKernelArgs,
});

describe("the id of a Talos schematic", () => {
  it.each<[string, TalosCustomization, string]>([
    ["nothing", {}, "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba"],
    [
      "empty lists",
      { extraKernelArgs: [], meta: [], officialExtensions: [], secureboot: {} },
      "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba",
    ],
    [
      "kernel arguments",
      { extraKernelArgs: ["noapic", "nolapic"] },
      "9cba8e32753f91a16c1837ab8abf356af021706ef284aef07380780177d9a06c",
    ],
    [
      "a META value",
      { meta: [{ key: 10, value: "foo" }] },
      "d308a2a5ee2277bed5fbaa104fcbc8d59122abfa737df987a95b4ca763459a7f",
    ],
    [
      "well-known certificates",
      { secureboot: { includeWellKnownCertificates: true } },
      "fa8e05f142a851d3ee568eb0a8e5841eaf6b0ebc8df9a63df16ac5ed2c04f3e6",
    ],
    [
      "a sector size",
      { sectorSize: 4096 },
      "92833e9ddd9bb9e11b2464fa5525429f01866306d52ebd882ee08d7918f6d1ea",
    ],
    [
      "an overlay",
      { overlay: { image: "siderolabs/sbc-raspberrypi", name: "rpi_generic" } },
      "ee21ef4a5ef808a9b7484cc0dda0f25075021691c8c09a276591eedb638ea1f9",
    ],
    [
      "one extension",
      extensions("qemu-guest-agent"),
      "ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515",
    ],
    [
      "two extensions",
      extensions("iscsi-tools", "util-linux-tools"),
      "613e1592b2da41ae5e265e8789429f22e121aab91cb4deb6bc3c0b6262961245",
    ],
    [
      "three extensions",
      extensions("iscsi-tools", "qemu-guest-agent", "util-linux-tools"),
      "88d1f7a5c4f1d3aba7df787c448c1d3d008ed29cfb34af53fa0df4336a56040b",
    ],
    [
      "open modules",
      extensions("nvidia-container-toolkit-production", "nvidia-open-gpu-kernel-modules-production"),
      "6698d6f136c5bb37ca8bb8482c9084305084da0a5ead1f4dcae760796f8ab3a2",
    ],
    [
      "omni-prime",
      omniPrime("nvidia-container-toolkit-production", "nonfree-kmod-nvidia-production"),
      "d58fba8495bf019d92030f7a24d2bbe8e942331625a6d87fcfd45db9a2b90b6d",
    ],
    [
      "omni-prime with open modules",
      omniPrime("nvidia-container-toolkit-production", "nvidia-open-gpu-kernel-modules-production"),
      "0b18f60314279961b4bee4955aa6880017f3944e1ca83da715c5d3578ebb3215",
    ],
    [
      "omni-prime with open modules of the long-term branch",
      omniPrime("nvidia-container-toolkit-lts", "nvidia-open-gpu-kernel-modules-lts"),
      "44edfb0040972f72ad55aec57c23b47005a8897360819548c814fd1e9601a729",
    ],
    [
      "omni-prime with arguments",
      omniPrime(
        "nvidia-container-toolkit-lts",
        "nvidia-open-gpu-kernel-modules-lts",
        "nvidia-drm.modeset=0",
        "console=tty0",
      ),
      "9a698016ad9c6f840890ec272c91b746601c8ac7c98d9d217cd7b7f8fec9081b",
    ],
  ])("of %s", (_, customization, id) => {
    expect(talosSchematicId(customization)).toBe(id);
  });

  it("is the hash of the text that is posted, byte for byte", () => {
    const text = talosSchematicText(
      omniPrime("nvidia-container-toolkit-lts", "nvidia-open-gpu-kernel-modules-lts"),
    );
    expect(text).toBe(
      [
        "customization:",
        "    systemExtensions:",
        "        officialExtensions:",
        "            - siderolabs/amd-ucode",
        "            - siderolabs/nvidia-container-toolkit-lts",
        "            - siderolabs/nvidia-open-gpu-kernel-modules-lts",
        "            - siderolabs/qemu-guest-agent",
        "            - siderolabs/util-linux-tools",
        "",
      ].join("\n"),
    );
    expect(
      createHash("sha256")
        .update(text ?? "")
        .digest("hex"),
    ).toBe("44edfb0040972f72ad55aec57c23b47005a8897360819548c814fd1e9601a729");
  });

  it("depends on the order of a list", () => {
    const id = talosSchematicId(extensions("util-linux-tools", "iscsi-tools"));
    expect(id).not.toBe("613e1592b2da41ae5e265e8789429f22e121aab91cb4deb6bc3c0b6262961245");
    expect(id).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each(["yes", "Off", "1", "0x10", "a: b", "a:", "#a", "two words", "*all", "2026-01-01", "-1", "~", ""])(
    "is not guessed where %j would need quotes",
    (text) => {
      expect(talosSchematicId({ extraKernelArgs: [text] })).toBeUndefined();
      expect(talosSchematicId({ meta: [{ key: 10, value: text }] })).toBeUndefined();
    },
  );

  it.each(["-console", "console=ttyS0,115200", "vfio_pci.disable_idle_d3=1", "root=/dev/sda"])(
    "takes %s as it is",
    (text) => {
      expect(talosSchematicId({ extraKernelArgs: [text] })).toMatch(/^[0-9a-f]{64}$/);
    },
  );
});
