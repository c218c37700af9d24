/**
 * Talos: for each guest with Talos Linux the schematic of its image with the id computed offline, the names of all
 * images, machine config patches as separate files that each validate against Talos' schema, and scripts that make,
 * check and apply the configs and upgrade the nodes. What differs between versions of Talos is in `talos-contract.ts`.
 * Never here: secrets of a cluster (made by the script, outside of the repository), RuntimeClass (Kubernetes' business).
 */
import type { Target } from "../artifact.ts";
import { renderGuest } from "./render-guest.ts";
import { talosGuests } from "./talos-guest.ts";

export const talos: Target = {
  name: "talos",
  about: "Talos Linux: schematic and images, machine config patches, scripts to apply and to upgrade.",
  wanted: (deployment) => talosGuests(deployment).length > 0,
  render: (deployment) => {
    const rendered = talosGuests(deployment).map(renderGuest);
    return {
      artifacts: rendered.flatMap(({ artifacts }) => artifacts),
      diagnostics: rendered.flatMap(({ diagnostics }) => diagnostics),
    };
  },
};
