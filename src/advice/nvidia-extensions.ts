import type { Spec } from "../spec/index.ts";
import { isAtLeast } from "../core/version-order.ts";

type Talos = NonNullable<Spec["guests"][string]["talos"]>;

/** A Talos extension that brings a part of NVIDIA's driver. */
export interface NvidiaExtension {
  readonly name: string;
  /** Position in the list of extensions. */
  readonly index: number;
  readonly part: "open" | "proprietary" | "toolkit";
  readonly branch: "lts" | "production";
}

const PARTS = [
  ["nvidia-open-gpu-kernel-modules", "open"],
  ["nonfree-kmod-nvidia", "proprietary"],
  ["nvidia-container-toolkit", "toolkit"],
] as const;

/** Driver releases behind the two branches. Source: siderolabs/extensions, tags v1.12.11 and release-1.14. */
export const driverOfBranch = (talosVersion: string): Readonly<Record<NvidiaExtension["branch"], string>> =>
  isAtLeast(talosVersion, "1.13") ? { lts: "580", production: "595" } : { lts: "580", production: "570" };

/** The NVIDIA extensions of a Talos image; a name without a branch is an alias of `-lts` (image-factory, profile.go). */
export function nvidiaExtensions(talos: Talos): readonly NvidiaExtension[] {
  return (talos.extensions ?? []).flatMap((typed, index): NvidiaExtension[] => {
    const bare = typed.replace(/^siderolabs\//, "");
    const found = PARTS.find(([prefix]) => bare === prefix || bare.startsWith(`${prefix}-`));
    if (found === undefined) return [];
    return [
      { name: bare, index, part: found[1], branch: bare.endsWith("-production") ? "production" : "lts" },
    ];
  });
}
