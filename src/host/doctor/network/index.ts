/**
 * The network from where Omni runs: ports that the plan wants, and what it fetches from. Secrets are presented to their
 * servers and never shown. Never here: requests that change anything.
 */
import type { Check } from "../check.ts";
import { clockSkew } from "./clock.ts";
import { hubAnswers } from "./hub.ts";
import { imageFactory } from "./image-factory.ts";
import { nameResolution } from "./names.ts";
import { portsFree } from "./ports.ts";
import { proxyVariables } from "./proxy.ts";
import { registries } from "./registries.ts";

export const NETWORK_CHECKS: readonly Check[] = [
  portsFree,
  nameResolution,
  hubAnswers,
  registries,
  imageFactory,
  proxyVariables,
  clockSkew,
];
