/**
 * Steps of the disks: found by identity, made once where blank and agreed to, mounted now and after every boot, with room
 * for the models that belong there. Never here: how a disk is found and made (host), and disks that a pod prepares
 * (kubernetes).
 */
import type { RunbookInput } from "../../runbook.ts";
import type { Step } from "../../step.ts";
import { hostDiskStep } from "./host-disk-step.ts";
import { storageDisks } from "./storage-disks.ts";
import { userVolumeStep } from "./user-volume-step.ts";

/** `disk/NAME` for every disk that a host or Talos prepares; `disk/HOST-NAME` where several hosts have one of that name. */
export const storageSteps = ({ deployment }: RunbookInput): readonly Step[] =>
  storageDisks(deployment).map((disk) =>
    disk.by === "host" ? hostDiskStep(disk) : userVolumeStep(disk, deployment),
  );
