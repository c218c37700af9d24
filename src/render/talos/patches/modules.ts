import { yamlDocument } from "../../documents/yaml.ts";
import { NO_PATCH } from "../talos-guest.ts";
import type { PatchResult, TalosGuest } from "../talos-guest.ts";

/** Modules of NVIDIA's driver; nothing loads them by itself, because the extension blocks udev from doing so. */
const NVIDIA = ["nvidia", "nvidia_uvm", "nvidia_drm", "nvidia_modeset"] as const;

const NVIDIA_EXTENSION = /(?:^|\/)(?:nvidia-open-gpu-kernel-modules|nonfree-kmod-nvidia)(?:-|$)/;

const isNvidia = (module: string): boolean => /^nvidia(?:$|[_-])/.test(module);

/** The image carries NVIDIA's kernel modules. */
export const hasNvidiaModules = ({ talos }: TalosGuest): boolean =>
  (talos.extensions ?? []).some((name) => NVIDIA_EXTENSION.test(name));

/** `20-modules.yaml`: kernel modules that Talos loads, with their parameters. */
export function modulesPatch(own: TalosGuest): PatchResult {
  const named = Object.entries(own.talos.modules ?? {});
  const added = hasNvidiaModules(own) && !named.some(([name]) => isNvidia(name)) ? NVIDIA : [];
  if (named.length + added.length === 0) return NO_PATCH;
  const modules = [
    ...named.map(([name, parameters]) => ({ name, ...(parameters.length === 0 ? {} : { parameters }) })),
    ...added.map((name) => ({ name })),
  ];
  const why =
    added.length === 0
      ? ""
      : " The spec names none of NVIDIA's, but its extensions bring them and without these four lines no card appears.";
  return {
    patch: {
      file: "20-modules.yaml",
      content: yamlDocument(
        { machine: { kernel: { modules } } },
        `Machine config patch: kernel modules. Rendered by Omni from omni.yaml (guest ${own.name}), used by apply.sh; a change of parameters takes a reboot.${why} Talos gives modules no parameters from the kernel command line: here is the only place for them.`,
      ),
      reason:
        added.length === 0
          ? `Asked for by guests.${own.name}.talos.modules.`
          : `Asked for by guests.${own.name}.talos.extensions: NVIDIA's modules are loaded by name.`,
      scope: "all",
    },
    diagnostics: [],
  };
}
