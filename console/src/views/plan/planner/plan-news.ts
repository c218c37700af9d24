import type { Finding } from "../../../parts/findings.tsx";
import type { LedgerDevice, Plan, Rejection } from "../plan-types.ts";

const refusalKey = ({ service, engine, code, devices }: Rejection): string =>
  JSON.stringify([service, engine, code, devices]);
const findingKey = ({ code, path, message }: Finding): string => JSON.stringify([code, path, message]);

const isNewTo = <One>(before: readonly One[], keyOf: (one: One) => string): ((one: One) => boolean) => {
  const known = new Set(before.map(keyOf));
  return (one) => !known.has(keyOf(one));
};

/** Tells whether a plan did not refuse this before. */
export const isNewRefusal = (before: Plan): ((one: Rejection) => boolean) =>
  isNewTo(before.rejected, refusalKey);

/** Tells whether a plan did not find this before. */
export const isNewFinding = (before: Plan): ((one: Finding) => boolean) =>
  isNewTo(before.diagnostics, findingKey);

/** A device before and after a change; one of both is absent where the device came or went. */
export interface DevicePair {
  /** The device with its machine: devices of two machines may have one name. */
  readonly key: string;
  readonly name: string;
  readonly before: LedgerDevice | undefined;
  readonly after: LedgerDevice | undefined;
}

const keyOf = ({ machine, device }: LedgerDevice): string => `${machine} ${device}`;

/** Devices of both plans, in the order of the first. */
export function devicePairs(before: Plan, after: Plan): readonly DevicePair[] {
  const rest = new Map((after.ledger ?? []).map((device) => [keyOf(device), device]));
  const pairs = (before.ledger ?? []).map((device): DevicePair => {
    const other = rest.get(keyOf(device));
    rest.delete(keyOf(device));
    return { key: keyOf(device), name: device.device, before: device, after: other };
  });
  return [
    ...pairs,
    ...[...rest].map(([key, device]) => ({ key, name: device.device, before: undefined, after: device })),
  ];
}

/** What a trial comes to, in one sentence. */
export function verdictOf(plan: Plan | undefined, findings: readonly Finding[]): string {
  const wrong = findings.filter(({ severity }) => severity === "error").length;
  if (plan === undefined) return `The spec is wrong: ${counted(wrong, "error")}.`;
  const refused = plan.rejected.filter(({ alternative }) => alternative !== true);
  const without = new Set(refused.map(({ service }) => service));
  for (const { name, replicaOf } of plan.services) {
    without.delete(name);
    if (replicaOf !== undefined) without.delete(replicaOf);
  }
  if (without.size > 0) return `It does not fit: ${[...without].join(", ")} cannot be placed.`;
  const all = `${counted(plan.services.length, "service")} placed`;
  return wrong > 0 ? `It fits, ${all}, with ${counted(wrong, "error")}.` : `It fits: ${all}.`;
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;
