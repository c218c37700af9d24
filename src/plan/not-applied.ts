import type { Diagnostic } from "../core/index.ts";
import type { Spec } from "../spec/index.ts";

type Part = readonly [path: string, what: string, present: (spec: Spec) => boolean];

const isSet = (value: object | undefined): boolean => value !== undefined && Object.keys(value).length > 0;

/** Parts of the language that say something about running which `up` of this version does not do. */
const PARTS: readonly Part[] = [
  ["tools", "MCP servers are not started", (spec) => isSet(spec.tools)],
  [
    "routes",
    "weights, conditions and other ways than the given order are not followed; the first service that is ready answers",
    (spec) =>
      Object.values(spec.routes).some(
        (route) =>
          route.strategy !== "ordered" ||
          route.services.some((candidate) => "when" in candidate && candidate.when !== undefined),
      ),
  ],
  [
    "keys",
    "limits and priorities are not enforced",
    (spec) => Object.values(spec.keys).some((key) => isSet(key.limits)),
  ],
  ["gateway.tls", "the gateway speaks plain HTTP", (spec) => spec.gateway.tls !== undefined],
  ["networks", "engines of this machine are not put into networks", (spec) => isSet(spec.networks)],
];

/** Bounds on who may do what: to serve without them would open what the owner meant to close. */
const BOUNDS: readonly Part[] = [
  [
    "keys",
    "a key cannot be held to its routes",
    (spec) => Object.values(spec.keys).some((key) => key.routes !== undefined),
  ],
  [
    "keys",
    "a key that expires would go on working",
    (spec) => Object.values(spec.keys).some((key) => key.expires !== undefined),
  ],
];

/** An error for each bound of the spec that this version cannot keep: the node must not run without it. */
export const notEnforced = (spec: Spec): Diagnostic[] =>
  BOUNDS.filter(([, , present]) => present(spec)).map(([path, what]) => ({
    code: "plan.not-enforced",
    severity: "error",
    path,
    message: `This version cannot enforce ${path}: ${what}.`,
    hint: "Take the bound out to let every key do everything, or do not run this spec yet.",
  }));

/** A warning for each part of the spec that this version reads and checks but does not act on when it runs a node. */
export const notApplied = (spec: Spec): Diagnostic[] =>
  PARTS.filter(([, , present]) => present(spec)).map(([path, what]) => ({
    code: "plan.not-applied",
    severity: "warning",
    path,
    message: `This version does not act on ${path}: ${what}.`,
    hint: "The rest of the spec runs; take the part out to silence this.",
  }));
