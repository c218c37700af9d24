import type { Diagnostic } from "../core/index.ts";
import type { Deployment } from "../deployment/index.ts";

export const TARGET_NAMES = [
  "proxmox",
  "talos",
  "kubernetes",
  "triton",
  "compose",
  "images",
  "systemd",
  "observability",
] as const;
export type TargetName = (typeof TARGET_NAMES)[number];

/** One rendered file. */
export interface Artifact {
  /** Relative to the output folder, with forward slashes, below the target's own folder: `talos/schematic.yaml`. */
  readonly path: string;
  /** UTF-8 text that ends with a newline. */
  readonly content: string;
  /** Permission bits: 0o644, 0o755 for what is run. */
  readonly mode: number;
  /** Who asks for it and why, one sentence for the manifest. */
  readonly reason: string;
}

export interface Rendered {
  readonly artifacts: readonly Artifact[];
  /** What could not be rendered as asked, and what the owner should know. */
  readonly diagnostics: readonly Diagnostic[];
}

/** One target: pure, deterministic, the same deployment gives the same bytes. */
export interface Target {
  readonly name: TargetName;
  /** One sentence for the help. */
  readonly about: string;
  /** Whether this deployment has anything for the target; it is rendered by default then. */
  readonly wanted: (deployment: Deployment) => boolean;
  readonly render: (deployment: Deployment) => Rendered;
}
