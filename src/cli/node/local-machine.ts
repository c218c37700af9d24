import { hostname } from "node:os";
import { nearest, OmniError, present } from "../../core/index.ts";
import type { Diagnostic } from "../../core/index.ts";
import type { Plan, PlannedService } from "../../plan/plan.ts";
import type { Spec } from "../../spec/index.ts";

/**
 * Which machine of a spec this is: the one that is named, the only one, or the one with this host's name (or whose guest
 * has it). `undefined` where the spec names none. Throws OmniError `cli.bad-argument` when that cannot be told.
 */
export function localMachine(spec: Spec, named: string | undefined, host = hostname()): string | undefined {
  const machines = Object.keys(spec.machines);
  if (named !== undefined) {
    if (machines.includes(named)) return named;
    const meant = nearest(named, machines);
    throw new OmniError("cli.bad-argument", `The spec has no machine ${JSON.stringify(named)}.`, {
      hint: meant === undefined ? `It has: ${machines.join(", ") || "none"}.` : `Did you mean ${meant}?`,
    });
  }
  if (machines.length < 2) return machines[0];
  const short = host.split(".", 1)[0] ?? host;
  const guest = spec.guests[host]?.machine ?? spec.guests[short]?.machine;
  const found = [host, short, guest].find((name) => name !== undefined && machines.includes(name));
  if (found !== undefined) return found;
  throw new OmniError(
    "cli.bad-argument",
    `The spec describes ${machines.join(", ")}, and this machine is called ${host}.`,
    { hint: `Say which one this is: --machine ${machines[0] ?? "NAME"}` },
  );
}

/** A Docker or cluster that is reached over the network runs things for other machines too. */
const reachesOthers = ({ runtime }: PlannedService, spec: Spec): boolean =>
  runtime === "kubernetes" || (runtime === "docker" && /^(?:ssh|tcp):/.test(spec.runtime.docker.socket));

/** What of a plan belongs to this machine; the rest is told, each service as a finding, and not started. */
export function onlyHere(plan: Plan, spec: Spec, here: string | undefined): Plan {
  const belongs = (service: PlannedService): boolean =>
    here === undefined ||
    service.machine === undefined ||
    service.machine === here ||
    service.devices.length === 0 ||
    reachesOthers(service, spec);
  const services = plan.services.filter(belongs);
  if (services.length === plan.services.length) return plan;
  const names = new Set(services.map(({ name }) => name));
  const elsewhere = plan.services.filter(({ name }) => !names.has(name));
  return {
    ...plan,
    services,
    routes: plan.routes
      .map((route) => ({ ...route, services: route.services.filter((name) => names.has(name)) }))
      .filter((route) => route.services.length > 0),
    // Who takes turns does so on cards of one machine.
    ...present({ swapSets: plan.swapSets?.filter(({ standing }) => names.has(standing)) }),
    diagnostics: [...plan.diagnostics, ...elsewhere.map((service) => onAnother(service, here ?? ""))],
  };
}

const onAnother = ({ name, machine = "" }: PlannedService, here: string): Diagnostic => ({
  code: "node.other-machine",
  severity: "warning",
  path: `services.${name}`,
  message: `${name} belongs to the machine ${machine}; this is ${here}, so it is not started here.`,
  hint: `Run ./omni up with the same spec on ${machine}.`,
});
