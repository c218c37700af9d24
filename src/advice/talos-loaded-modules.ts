import type { Spec } from "../spec/index.ts";

type Talos = NonNullable<Spec["guests"][string]["talos"]>;

/** Modules that only extensions bring, so that Talos itself loads them and the kernel never sees their parameters. */
const FROM_EXTENSIONS =
  /^(?:nvidia(?:_drm|_modeset|_uvm|_peermem)?|zfs|spl|drbd|gasket|apex|tenstorrent|hailo_pci)$/;

const underscored = (name: string): string => name.replaceAll("-", "_");

/** `nvidia-drm.modeset=0` in its parts, where it is a parameter of a module that Talos loads; else nothing. */
export function talosLoadedParameter(
  talos: Talos,
  argument: string,
): { readonly module: string; readonly parameter: string } | undefined {
  const match = /^([\w-]+)\.(\S+)$/.exec(argument);
  if (match === null) return undefined;
  const module = underscored(match[1] ?? "");
  const loaded = Object.keys(talos.modules ?? {}).map(underscored);
  return FROM_EXTENSIONS.test(module) || loaded.includes(module)
    ? { module, parameter: match[2] ?? "" }
    : undefined;
}

export const isTalosLoadedParameter = (talos: Talos, argument: string): boolean =>
  talosLoadedParameter(talos, argument) !== undefined;
