import type { Diagnostic } from "../core/index.ts";
import type { Spec } from "../spec/index.ts";

type Part = readonly [path: string, what: string, present: (spec: Spec) => boolean];

const isSet = (value: object | undefined): boolean => value !== undefined && Object.keys(value).length > 0;

/** Parts of the language that say something about running which `up` of this version does not do. */
const PARTS: readonly Part[] = [
  ["networks", "engines of this machine are not put into networks", (spec) => isSet(spec.networks)],
];

/** A warning for each part of the spec that this version reads and checks but does not act on when it runs a node. */
export const notApplied = (spec: Spec): Diagnostic[] =>
  PARTS.filter(([, , present]) => present(spec)).map(([path, what]) => ({
    code: "plan.not-applied",
    severity: "warning",
    path,
    message: `This version does not act on ${path}: ${what}.`,
    hint: "The rest of the spec runs; take the part out to silence this.",
  }));
