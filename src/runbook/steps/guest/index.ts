/**
 * Steps of guests: the image they are installed from, the VM, Talos in it, the cluster that comes of it. What is done once
 * in a guest's life is an effect of its own. Never here: the host below (metal) and what runs in the cluster.
 */
import { talosGuests } from "../../../render/talos/talos-guest.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Step } from "../../step.ts";
import { clusterStep } from "./cluster-step.ts";
import { isoStep } from "./iso-step.ts";
import { schematicStep } from "./schematic-step.ts";
import { talosStep } from "./talos-step.ts";
import { vmStep } from "./vm-step.ts";

const asList = (step: Step | undefined): readonly Step[] => (step === undefined ? [] : [step]);

/** Steps of all guests and clusters, each after what it needs. */
export function guestSteps(input: RunbookInput): readonly Step[] {
  const { deployment } = input;
  const talos = talosGuests(deployment);
  return [
    ...talos.flatMap((own) => [schematicStep(own, input), ...asList(isoStep(own, input))]),
    ...deployment.guests.flatMap((guest) => asList(vmStep(guest, input))),
    ...talos.map((own) => talosStep(own, input)),
    ...(deployment.runtime === "kubernetes"
      ? deployment.clusters.map((cluster) => clusterStep(cluster, input))
      : []),
  ];
}
