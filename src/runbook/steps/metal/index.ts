/**
 * Steps on bare hosts: reached and known, boot line and kernel, the reboot that makes them count, cards in the hands of
 * vfio-pci. Never here: what runs in a guest, and what a host's files say (`src/render/proxmox/`).
 */
import type { Host } from "../../../deployment/index.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Step } from "../../step.ts";
import { bootStep } from "./boot-step.ts";
import { cardsStep } from "./cards-step.ts";
import { hostStep } from "./host-step.ts";
import { rebootStep } from "./reboot-step.ts";

/** Steps of every host that is reached over SSH or is this machine; Talos has neither shell nor SSH. */
export const metalSteps = (input: RunbookInput): readonly Step[] =>
  input.deployment.hosts
    .filter(({ platform, ssh }) => platform !== "talos" || ssh !== undefined)
    .flatMap((host) => [hostStep(host), ...(host.platform === "proxmox" ? proxmoxSteps(host, input) : [])]);

function proxmoxSteps(host: Host, input: RunbookInput): readonly Step[] {
  const boot = bootStep(host, input);
  const cards = cardsStep(host, input);
  return [
    ...(boot === undefined ? [] : [boot, rebootStep(host, input)]),
    ...(cards === undefined ? [] : [cards]),
  ];
}
