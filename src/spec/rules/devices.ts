import type { SpecPath } from "../../core/spec-path.ts";
import { namesByMachine } from "./hardware.ts";
import { refer } from "./references.ts";
import type { Report, Rule, RuleContext } from "./rule.ts";

/** Checks names of cards or disks: `name`, or `machine/name` where several machines have one of that name. */
export function deviceChecker(context: RuleContext, report: Report, part: "gpus" | "disks") {
  const byMachine = namesByMachine(context, part);
  const what = part === "gpus" ? "GPU" : "disk";
  const define =
    part === "gpus" ? "metal: { gpus: { NAME: RTX 5090 } }" : "metal: { disks: { NAME: { byId: … } } }";
  return (path: SpecPath, typed: string, machine?: string): void => {
    const [owner, bare] = typed.includes("/")
      ? [typed.slice(0, typed.indexOf("/")), typed.slice(typed.indexOf("/") + 1)]
      : [machine, typed];
    if (owner !== undefined && byMachine.has(owner)) {
      refer(report, path, bare, byMachine.get(owner) ?? [], what, define);
      return;
    }
    if (typed.includes("/")) {
      refer(report, path, owner ?? "", [...byMachine.keys()], "machine", "machines: { NAME: … }");
      return;
    }
    const owners = [...byMachine].filter(([, names]) => names.includes(bare)).map(([name]) => name);
    if (owners.length > 1) {
      const message = `${bare} is a ${what} of ${owners.join(" and ")}`;
      report({ code: "spec.ambiguous-reference", path, message, hint: `${owners[0] ?? ""}/${bare}` });
    } else refer(report, path, bare, [...byMachine.values()].flat(), what, define);
  };
}

/** Every card that a service, a pod or a guest names must be one of the machine's. */
export const deviceReferences: Rule = (context, report) => {
  const { spec } = context;
  const gpu = deviceChecker(context, report, "gpus");
  for (const [name, service] of Object.entries(spec.services ?? {})) {
    if (service.devices?.kind !== "gpus") continue;
    service.devices.gpus.forEach((device, i) =>
      gpu(["services", name, "devices", i], device, service.machine),
    );
  }
  const module = spec.runbook?.commandModule;
  if (module !== undefined && module !== false)
    module.gpus?.forEach((name, i) => gpu(["runbook", "commandModule", "gpus", i], name));
};

/** Every disk that a model, a mount or the runbook names must be one of the machine's. */
export const diskReferences: Rule = (context, report) => {
  const { spec } = context;
  const disk = deviceChecker(context, report, "disks");
  for (const [name, model] of Object.entries(spec.models ?? {})) {
    for (const key of ["source", "projector"] as const) {
      const own = model[key]?.disk;
      if (own !== undefined) disk(["models", name, key, "disk"], own);
    }
    model.adapters?.forEach((adapter, i) => {
      if (adapter.disk !== undefined) disk(["models", name, "adapters", i, "disk"], adapter.disk);
    });
    if (model.store?.disk !== undefined) disk(["models", name, "store", "disk"], model.store.disk);
  }
  for (const [name, service] of Object.entries(spec.services ?? {})) {
    service.mounts?.forEach((mount, i) => {
      if (mount.disk !== undefined)
        disk(["services", name, "mounts", i, "disk"], mount.disk, service.machine);
    });
  }
  const module = spec.runbook?.commandModule;
  if (module !== undefined && module !== false && module.disk !== undefined)
    disk(["runbook", "commandModule", "disk"], module.disk);
};
