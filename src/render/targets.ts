import type { Target } from "./artifact.ts";
import { compose } from "./compose/index.ts";
import { images } from "./images/index.ts";
import { kubernetes } from "./kubernetes/index.ts";
import { observability } from "./observability/index.ts";
import { proxmox } from "./proxmox/index.ts";
import { systemd } from "./systemd/index.ts";
import { talos } from "./talos/index.ts";
import { triton } from "./triton/index.ts";

/** Every target, in the order in which a node is built from the metal up. */
export const TARGETS: readonly Target[] = [
  proxmox,
  talos,
  images,
  triton,
  kubernetes,
  compose,
  systemd,
  observability,
];
