import { codeSpan, markdownText } from "../escape/markdown.ts";
import { imageNames, imageText, talosTag } from "./images.ts";
import { talosNodes } from "./nodes.ts";
import { hasNvidiaModules } from "./patches/modules.ts";
import type { Schematic } from "./schematic.ts";
import { addressVariable } from "./scripts/script.ts";
import type { TalosGuest, TalosPatch } from "./talos-guest.ts";

function images(own: TalosGuest, { id }: Schematic): readonly string[] {
  const rows = imageNames(own).map(
    (name) => `| ${name.what} | ${codeSpan(imageText(name, id ?? "SCHEMATIC"))} |`,
  );
  return ["## Images", "", "| What | Name |", "| --- | --- |", ...rows, ""];
}

/** The driver behind `-lts` and `-production`; the words mean other drivers in other releases. */
function drivers(own: TalosGuest): readonly string[] {
  const known = own.contract.drivers;
  if (known === undefined || !hasNvidiaModules(own)) return [];
  const production = (own.talos.extensions ?? []).some((name) => name.endsWith("-production"));
  const used = production ? known.production : known.lts;
  return [
    `NVIDIA driver in this image: ${used} (${production ? "`-production`" : "`-lts`"} at Talos ${own.contract.line}). The words mean other drivers in other releases: look at the number before an upgrade.`,
    "",
  ];
}

function order(own: TalosGuest, { id }: Schematic): readonly string[] {
  const unknown = talosNodes(own).filter(({ address }) => address === undefined);
  const steps = [
    id === undefined
      ? '`export TALOS_SCHEMATIC="$(./schematic-id.sh)"`: the factory reads `schematic.yaml` and answers its id; nothing else works before.'
      : "`./schematic-id.sh`: posts `schematic.yaml`. The factory builds images only of schematics that were posted once.",
    "Boot the node from the ISO, the disk image or over the network (below). It waits in maintenance mode.",
    ...unknown.map(
      (node) =>
        `\`export ${addressVariable(node)}=…\`: the spec has no address for ${codeSpan(node.name)}; the console of the node shows it.`,
    ),
    "`./apply.sh --dry-run` shows every command, `./apply.sh --first` installs the nodes and starts the cluster.",
    ...(["none", "cilium", "calico"].includes(own.guest.kubernetes?.cni ?? "")
      ? ["Install the network plugin; nodes are not ready before."]
      : []),
    "Later: `./apply.sh` after a change of patches, `./upgrade.sh` after a change of version, extensions or kernel arguments.",
  ];
  return ["## In this order", "", ...steps.map((step, index) => `${index + 1}. ${step}`), ""];
}

/** README.md of a guest: what the files are, and in which order they are used. */
export function readme(own: TalosGuest, schematic: Schematic, patches: readonly TalosPatch[]): string {
  const ownPatches = own.talos.patches ?? [];
  return `${[
    `<!-- Rendered by Omni from omni.yaml (guest ${own.name}): how the files of this folder are used. -->`,
    "",
    `# Talos ${codeSpan(talosTag(own))} for the guest ${codeSpan(own.name)}`,
    "",
    schematic.id === undefined
      ? "Schematic: only the factory knows its id, because a text in it needs quotes."
      : `Schematic: \`${schematic.id}\`, which is what \`sha256sum schematic.yaml\` prints; therefore that file has no comment.`,
    "",
    ...drivers(own),
    ...order(own, schematic),
    ...images(own, schematic),
    "## Patches",
    "",
    ...patches.map(
      ({ file, reason, scope }) =>
        `* \`patches/${file}\` (${scope === "all" ? "all nodes" : "control planes"}): ${markdownText(reason)}`,
    ),
    ...talosNodes(own)
      .filter(({ named }) => named)
      .map(({ name }) => `* \`nodes/${name}.yaml\` (that node): host name and labels.`),
    ...ownPatches.map(
      (path) =>
        `* ${codeSpan(path)}: your own, last of all; counted from the folder where the script is started, or OMNI_PROJECT.`,
    ),
    "",
    "Secrets of the cluster are made by `apply.sh --first` below `~/.local/state/omni/talos`, or in `OMNI_TALOS_SECRETS`, and never rendered. Keep that folder: without it nobody can reach the nodes any more.",
  ].join("\n")}\n`;
}
