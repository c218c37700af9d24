/**
 * NVIDIA's driver on the system that is looked at: loaded, of the right flavour and version, with its device files. Never
 * here: cards that are handed to a VM, whose driver is in the VM.
 */
import type { Check } from "../check.ts";
import { driverAnswers } from "./answers.ts";
import { deviceNodes } from "./device-nodes.ts";
import { fabricManager } from "./fabric-manager.ts";
import { imageCuda } from "./image-cuda.ts";
import { driverLog } from "./kernel-lines.ts";
import { nouveauInTheWay } from "./nouveau.ts";
import { openModules } from "./open-modules.ts";
import { secureBoot } from "./secure-boot.ts";
import { driverVersion } from "./wanted-version.ts";

export const DRIVER_CHECKS: readonly Check[] = [
  driverAnswers,
  driverVersion,
  openModules,
  imageCuda,
  deviceNodes,
  nouveauInTheWay,
  secureBoot,
  fabricManager,
  driverLog,
];
