import { deviceChecker } from "./devices.ts";
import { guestsOf, machinesOf } from "./hardware.ts";
import { refer } from "./references.ts";
import type { Rule } from "./rule.ts";

/** Cards, disks, machines and registries that machines, guests and builds name must exist. */
export const guestReferences: Rule = (context, report) => {
  const { spec, names } = context;
  const machines = names("machines");
  const gpu = deviceChecker(context, report, "gpus");
  const disk = deviceChecker(context, report, "disks");
  const machineRef = (path: (string | number)[], name: string | undefined): void => {
    if (name !== undefined) refer(report, path, name, machines, "machine", `machines: { ${name}: … }`);
  };
  for (const { value, path } of machinesOf(spec)) {
    value.passthrough?.cards?.forEach((card, i) =>
      refer(
        report,
        [...path, "passthrough", "cards", i],
        card,
        Object.keys(value.gpus ?? {}),
        "GPU of this machine",
        `gpus: { ${card}: … }`,
      ),
    );
  }
  for (const { value: guest, path } of guestsOf(spec)) {
    machineRef([...path, "machine"], guest.machine);
    for (const [slot, card] of Object.entries(guest.vm?.hostpci ?? {}))
      gpu([...path, "vm", "hostpci", slot, "gpu"], card.gpu, guest.machine);
    for (const [bus, own] of Object.entries(guest.vm?.disks ?? {})) {
      if (own.disk !== undefined) disk([...path, "vm", "disks", bus, "disk"], own.disk, guest.machine);
    }
    for (const [volume, own] of Object.entries(guest.talos?.userVolumes ?? {})) {
      if (own.disk !== undefined)
        disk([...path, "talos", "userVolumes", volume, "disk"], own.disk, guest.machine);
    }
    const install = guest.talos?.installDisk;
    if (install !== undefined && !Object.hasOwn(guest.vm?.disks ?? {}, install))
      disk([...path, "talos", "installDisk"], install, guest.machine);
    for (const [node, own] of Object.entries(guest.kubernetes?.nodes ?? {})) {
      machineRef([...path, "kubernetes", "nodes", node, "machine"], own.machine);
      own.gpus?.forEach((card, i) =>
        gpu([...path, "kubernetes", "nodes", node, "gpus", i], card, own.machine ?? guest.machine),
      );
    }
  }
  for (const [name, service] of Object.entries(spec.services ?? {}))
    machineRef(["services", name, "machine"], service.machine);

  const registries = [
    ...names("guest", "registries"),
    ...names("guests").flatMap((guest) => names("guests", guest, "registries")),
  ];
  for (const [name, engine] of Object.entries(spec.engines ?? {})) {
    const push = engine.build?.push;
    if (push !== undefined && push !== false)
      refer(
        report,
        ["engines", name, "build", "push"],
        push,
        registries,
        "registry",
        `guest: { registries: { ${push}: { address: … } } }`,
      );
  }
};
