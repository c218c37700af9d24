import type { Diagnostic } from "../../core/index.ts";
import type { SpecSource } from "../read/source.ts";
import { valueAt } from "../read/source.ts";
import type { PlainMap } from "../read/yaml-tree.ts";
import type { ParsedSpec } from "../schema.ts";
import type { SpecPath } from "../../core/spec-path.ts";
import { isWithin, pathKey } from "../../core/spec-path.ts";
import { cycles } from "./cycles.ts";
import { deviceReferences, diskReferences } from "./devices.ts";
import {
  duplicateHardware,
  duplicateModelNames,
  duplicatePorts,
  duplicateRouteNames,
} from "./duplicate-identities.ts";
import { guestReferences } from "./guest-references.ts";
import { inlineSecrets } from "./inline-secrets.ts";
import { knownEngines } from "./known-engines.ts";
import { knownExtensions } from "./known-extensions.ts";
import { knownGpus } from "./known-gpus.ts";
import { routeReferences } from "./route-references.ts";
import { ladderSteps } from "./ladder-steps.ts";
import type { Rule } from "./rule.ts";
import {
  engineConflicts,
  networkAndToolConflicts,
  rangeConflicts,
  sourceConflicts,
} from "./section-conflicts.ts";
import { serviceConflicts } from "./service-conflicts.ts";
import { serviceReferences } from "./service-references.ts";
import { subnets } from "./subnets.ts";
import { toolServers } from "./tool-servers.ts";
import { uncommonNames } from "./uncommon-names.ts";
import { unstableDisks } from "./unstable-disks.ts";
import { unused } from "./unused.ts";

const RULES: readonly Rule[] = [
  knownGpus,
  knownEngines,
  knownExtensions,
  uncommonNames,
  serviceReferences,
  deviceReferences,
  diskReferences,
  guestReferences,
  routeReferences,
  duplicateHardware,
  duplicatePorts,
  duplicateRouteNames,
  duplicateModelNames,
  cycles,
  subnets,
  inlineSecrets,
  unstableDisks,
  serviceConflicts,
  sourceConflicts,
  engineConflicts,
  rangeConflicts,
  ladderSteps,
  networkAndToolConflicts,
  toolServers,
  unused,
];

interface Input {
  readonly parsed: ParsedSpec;
  readonly pruned: readonly SpecPath[];
  readonly typed: PlainMap;
  readonly source: SpecSource;
}

/** Runs every cross-check over what the schema let pass. */
export function checkRules({ parsed, pruned, typed, source }: Input): Diagnostic[] {
  const found = new Map<string, Diagnostic>();
  const names = (...path: string[]): readonly string[] => {
    const value = valueAt(typed, path);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
  };
  const wasFaulty = (path: SpecPath): boolean => pruned.some((p) => isWithin(p, path) || isWithin(path, p));
  for (const rule of RULES) {
    rule(
      { spec: parsed, names, wasFaulty },
      ({ code, path, message, hint, severity = "error", at = "value" }) => {
        const place = source.typedPath(path);
        found.set(
          `${code} ${pathKey(place)} ${message}`,
          source.atPath(place, { code, severity, message, hint }, { at }),
        );
      },
    );
  }
  return [...found.values()];
}
