import { findGpu, talosCustomization, talosSchematicId } from "../../../catalog/index.ts";
import type { GuestSystem } from "../../../deployment/index.ts";
import { guestsHere } from "../scope.ts";
import { nodesOf } from "./cluster-objects.ts";
import type { ClusterNodeObject } from "./cluster-objects.ts";
import { clusterCheck } from "./each-cluster.ts";
import { extensionsOf, talosOf } from "./talos.ts";
import type { Finding } from "../check.ts";

const ID = "cluster.talos-image";

/** The image that the nodes boot carries the extensions of the spec, and modules that can drive the cards. */
export const talosImage = clusterCheck(ID, "Talos image of the nodes", async (cluster, api, subject) => {
  const guest = guestsHere(subject).find(({ name }) => name === cluster.guest);
  if (guest?.talos === undefined) return [];
  const asked = await nodesOf(api);
  if (!asked.answered) return [];
  const models = Object.values(subject.host?.gpus ?? {}).map(({ model }) => model);
  const blackwell = models.filter((model) => findGpu(model)?.architecture === "blackwell");
  return asked.found.flatMap((node) =>
    talosOf(node) === undefined
      ? []
      : [...schematicOf(node, guest), ...missingOf(node, guest), ...modulesOf(node, blackwell)],
  );
});

function schematicOf(node: ClusterNodeObject, { talos }: GuestSystem): readonly Finding[] {
  const seen = extensionsOf(node).get("schematic");
  const computed = talos === undefined ? undefined : talosSchematicId(talosCustomization(talos));
  const wanted = talos?.schematic ?? computed;
  if (seen === undefined || wanted === undefined) return [];
  const base = { check: ID, subject: `node ${node.metadata.name}, schematic` } as const;
  if (seen === wanted) return [{ ...base, state: "ok", seen }];
  return [
    {
      ...base,
      state: "error",
      seen,
      wanted,
      why: "The node boots another image than the spec describes; extensions and kernel arguments change only with the image.",
      remedy: `talosctl upgrade --nodes ADDRESS --image factory.talos.dev/metal-installer/${wanted}:v${talos?.version ?? "VERSION"}   # reboots the node`,
      path: "guest.talos.schematic",
      source: "Talos image factory: the id is the hash of the list, in its order",
    },
  ];
}

const bare = (name: string): string => name.replace(/^siderolabs\//, "");

function missingOf(node: ClusterNodeObject, { talos }: GuestSystem): readonly Finding[] {
  const seen = extensionsOf(node);
  if (seen.size === 0) return [];
  // Labels drop the branch of NVIDIA's extensions for some releases.
  const has = (name: string): boolean =>
    [...seen.keys()].some((one) => one === name || one === name.replace(/-(?:lts|production)$/, ""));
  const missing = (talos?.extensions ?? []).map(bare).filter((name) => !has(name));
  const base = { check: ID, subject: `node ${node.metadata.name}, extensions` } as const;
  if (missing.length === 0) return [{ ...base, state: "ok", seen: [...seen.keys()].join(", ") }];
  return [
    {
      ...base,
      state: "error",
      seen: [...seen.keys()].join(", "),
      wanted: missing.join(", "),
      why: "Extensions come with the image alone: no apply-config adds one.",
      remedy: "talosctl -n ADDRESS get extensions; then talosctl upgrade to the image of the spec",
    },
  ];
}

function modulesOf(node: ClusterNodeObject, blackwell: readonly string[]): readonly Finding[] {
  const names = [...extensionsOf(node).keys()];
  const proprietary = names.find((name) => name.startsWith("nonfree-kmod-nvidia"));
  if (proprietary === undefined || blackwell.length === 0) return [];
  return [
    {
      check: ID,
      subject: `node ${node.metadata.name}, kernel modules`,
      state: "error",
      seen: proprietary,
      wanted: `nvidia-open-gpu-kernel-modules for ${blackwell.join(", ")}`,
      why: "The proprietary modules load, /dev/nvidia0 appears, and nvidia-smi -L says No devices found, with no error anywhere.",
      remedy:
        "siderolabs/nvidia-open-gpu-kernel-modules-lts with siderolabs/nvidia-container-toolkit-lts in the spec, then talosctl upgrade",
      source:
        'NVIDIA driver README, kernel_open: "Blackwell and later are only supported by the open kernel modules"; https://github.com/cozystack/cozystack/issues/3563',
    },
  ];
}
