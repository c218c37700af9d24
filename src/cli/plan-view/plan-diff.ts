import { formatBytes } from "../../core/index.ts";
import type { Plan } from "../../plan/index.ts";

/** One thing that differs between two plans. */
export interface PlanChange {
  readonly kind: "added" | "removed" | "changed";
  /** `services.oracle`, `devices.gpu-0`, `routes.chat`, `findings`. */
  readonly path: string;
  readonly from?: string;
  readonly to?: string;
}

/** What changes from one plan to another, in a fixed order: services, devices, routes, findings. Pure. */
export function diffPlans(before: Plan, after: Plan): readonly PlanChange[] {
  return [
    ...diffMaps("services", facts(before), facts(after)),
    ...diffMaps("devices", devices(before), devices(after)),
    ...diffMaps("routes", routes(before), routes(after)),
    ...diffMaps("findings", findings(before), findings(after)),
  ];
}

type Facts = ReadonlyMap<string, ReadonlyMap<string, string>>;

const facts = (plan: Plan): Facts =>
  new Map(
    plan.services.map((service) => [
      service.name,
      new Map([
        ["engine", `${service.engine.name} ${service.engine.version}`],
        ["image", service.engine.image ?? ""],
        ["model", `${service.model.name} (${formatBytes(service.model.sizeBytes)})`],
        ["devices", service.devices.join(" + ")],
        ["context", String(service.contextTokens)],
        ["parallel", String(service.parallel)],
        ["KV tokens", String(service.kvCache?.tokens ?? 0)],
        ["port", String(service.port ?? "")],
        ...service.memory.map((terms) => [`memory on ${terms.device}`, formatBytes(terms.total)] as const),
        ["band", service.band ?? ""],
      ]),
    ]),
  );

const devices = (plan: Plan): Facts =>
  new Map(
    (plan.ledger ?? []).map((device) => [
      device.device,
      new Map([
        ["size", formatBytes(device.capacity)],
        ["free", formatBytes(device.free)],
      ]),
    ]),
  );

const routes = (plan: Plan): Facts =>
  new Map(plan.routes.map((route) => [route.name, new Map([["services", route.services.join(" → ")]])]));

const findings = (plan: Plan): Facts =>
  new Map(
    plan.diagnostics.map((finding) => [
      `${finding.severity} ${finding.code} ${finding.path ?? ""}`,
      new Map([["message", finding.message]]),
    ]),
  );

function diffMaps(section: string, before: Facts, after: Facts): PlanChange[] {
  const names = [...new Set([...before.keys(), ...after.keys()])];
  return names.flatMap((name): PlanChange[] => {
    const from = before.get(name);
    const to = after.get(name);
    const path = `${section}.${name}`;
    if (from === undefined) return [{ kind: "added", path, to: summary(to) }];
    if (to === undefined) return [{ kind: "removed", path, from: summary(from) }];
    const keys = [...new Set([...from.keys(), ...to.keys()])];
    return keys
      .filter((key) => (from.get(key) ?? "") !== (to.get(key) ?? ""))
      .map((key) => ({
        kind: "changed" as const,
        path: `${path}.${key}`,
        from: from.get(key) ?? "",
        to: to.get(key) ?? "",
      }));
  });
}

const summary = (held: ReadonlyMap<string, string> | undefined): string =>
  [...(held ?? [])]
    .filter(([, value]) => value !== "")
    .map(([key, value]) => (key === "message" || key === "services" ? value : `${key} ${value}`))
    .join(", ");
