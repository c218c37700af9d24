import { hashComment, shellWord } from "../../escape/shell.ts";
import { hasNvidiaModules } from "../patches/modules.ts";
import { controlPlanes, talosNodes } from "../nodes.ts";
import type { Schematic } from "../schematic.ts";
import type { TalosGuest } from "../talos-guest.ts";
import { addressWord, scriptHead } from "./script.ts";

/** `upgrade.sh`: Talos node by node to the image of the schematic, then Kubernetes to the version of the spec. */
export function upgradeScript(own: TalosGuest, { id }: Schematic): string {
  const nodes = talosNodes(own);
  const first = controlPlanes(nodes)[0];
  const { version } = own.guest.kubernetes ?? {};
  const from = own.contract.release?.upgradesFrom;
  const head = scriptHead(
    own,
    "upgrade.sh",
    `Brings the nodes of the guest ${own.name} to the Talos image and the Kubernetes version of omni.yaml. Rendered by Omni; needs talosctl and the secrets that apply.sh made. Extensions and kernel arguments change by this script only, also within one version of Talos.${from === undefined ? "" : ` Talos ${own.contract.line} takes upgrades from ${from} and newer.`}${hasNvidiaModules(own) ? " A node that was installed by Talos 1.10 or older has a small EFI partition (1101 MiB), and two images with NVIDIA's modules may not fit: look at talosctl get discoveredvolumes first." : ""}`,
    [{ option: "--talos-only", variable: "talos_only", about: "leave Kubernetes as it is" }],
    id === undefined,
  );
  const ordered = [...controlPlanes(nodes), ...nodes.filter(({ role }) => role === "worker")];
  const talos = ordered.map(
    (node) =>
      `run talosctl --talosconfig "$secrets/talosconfig" upgrade --nodes ${addressWord(node)} --endpoints ${addressWord(first ?? node)} \\\n  --image "$TALOS_INSTALLER" --wait`,
  );
  const kubernetes =
    version === undefined || first === undefined
      ? [
          'if ! "$talos_only"; then',
          `  printf '%s\\n' ${shellWord(first === undefined ? "The spec has no control plane among its nodes: Kubernetes stays as it is." : "The spec names no Kubernetes version: Kubernetes stays as it is.")}`,
          "fi",
        ]
      : [
          'if ! "$talos_only"; then',
          `  run talosctl --talosconfig "$secrets/talosconfig" upgrade-k8s --nodes ${addressWord(first)} --endpoints ${addressWord(first)} \\`,
          `    --to ${shellWord(version.replace(/^v/, ""))}`,
          "fi",
        ];
  return `${[head, hashComment("One node after another, control planes first; each is back before the next one goes."), ...talos, "", ...kubernetes].join("\n")}\n`;
}
