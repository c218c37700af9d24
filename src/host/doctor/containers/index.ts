/**
 * Docker and what it needs to give cards to containers. Looked at where services run in it, or where nobody says what is
 * to run. Never here: containers themselves.
 */
import type { Check } from "../check.ts";
import { cdiCurrent } from "./cdi.ts";
import { cgroupVersion } from "./cgroup.ts";
import { compatLibrary } from "./compat-library.ts";
import { dataRoot } from "./data-root.ts";
import { dockerAnswers } from "./docker.ts";
import { liveRestore } from "./live-restore.ts";
import { containerToolkit } from "./toolkit.ts";

export const CONTAINER_CHECKS: readonly Check[] = [
  dockerAnswers,
  dataRoot,
  liveRestore,
  containerToolkit,
  cdiCurrent,
  compatLibrary,
  cgroupVersion,
];
