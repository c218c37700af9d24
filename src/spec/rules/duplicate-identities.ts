import type { SpecPath } from "../../core/spec-path.ts";
import { formatPath } from "../../core/spec-path.ts";
import { serviceName } from "../service-name.ts";
import { guestsOf, machinesOf } from "./hardware.ts";
import type { Report, Rule } from "./rule.ts";

/** Remembers who claimed an identity first and reports everyone after. */
class Claims {
  readonly #first = new Map<string, SpecPath>();
  readonly #report: Report;

  constructor(report: Report) {
    this.#report = report;
  }

  claim(what: string, scope: string, value: string | number | undefined, path: SpecPath, hint: string): void {
    if (value === undefined) return;
    const key = `${what} ${scope} ${value}`;
    const first = this.#first.get(key);
    if (first === undefined) this.#first.set(key, path);
    else
      this.#report({
        code: "spec.duplicate-identity",
        path,
        message: `${what} ${value} is already that of ${formatPath(first)}`,
        hint,
      });
  }
}

/** No two cards share a UUID or an address, no two disks a serial, no two VMs an id, no two slots a card, no two virtual disks a disk. */
export const duplicateHardware: Rule = ({ spec }, report) => {
  const claims = new Claims(report);
  for (const { value: machine, path, name = "metal" } of machinesOf(spec)) {
    for (const [card, gpu] of Object.entries(machine.gpus ?? {})) {
      const at = [...path, "gpus", card];
      claims.claim("UUID", "", gpu.uuid, [...at, "uuid"], "nvidia-smi -L lists the UUIDs");
      claims.claim(
        "PCI address",
        name,
        gpu.pci?.replace(/\.[0-7]$/, ""),
        [...at, "pci"],
        "lspci -d 10de: lists the addresses",
      );
      claims.claim("index", name, gpu.index, [...at, "index"], "count from 0 in PCI order");
    }
    for (const [disk, own] of Object.entries(machine.disks ?? {})) {
      const at = [...path, "disks", disk];
      for (const key of ["byId", "serial", "wwn"] as const)
        claims.claim(key, "", own[key], [...at, key], "lsblk -o NAME,SERIAL,WWN lists them");
      claims.claim("device", name, own.device, [...at, "device"], "lsblk lists the devices");
      claims.claim("mount", name, own.mount, [...at, "mount"], "mount each disk at a folder of its own");
    }
  }
  for (const { value: guest, path } of guestsOf(spec)) {
    claims.claim(
      "VM id",
      guest.machine ?? "",
      guest.vm?.id,
      [...path, "vm", "id"],
      "qm list shows the ids in use",
    );
    for (const [slot, card] of Object.entries(guest.vm?.hostpci ?? {})) {
      claims.claim(
        "GPU",
        guest.machine ?? "",
        card.gpu,
        [...path, "vm", "hostpci", slot, "gpu"],
        "hand each card through once",
      );
    }
    for (const [position, given] of Object.entries(guest.vm?.disks ?? {})) {
      claims.claim(
        "disk",
        guest.machine ?? "",
        given.disk,
        [...path, "vm", "disks", position, "disk"],
        "hand each disk through once: two systems writing to one disk destroy it",
      );
    }
    for (const [registry, own] of Object.entries(guest.registries ?? {})) {
      claims.claim(
        "registry",
        path.join("."),
        own.address,
        [...path, "registries", registry, "address"],
        "keep one of the two",
      );
    }
  }
};

/** No two services want the same port of the same machine, no two routes the same name, no two keys the same secret. */
export const duplicatePorts: Rule = ({ spec }, report) => {
  const claims = new Claims(report);
  const gateway = spec.gateway;
  const mainRuntime = spec.runtime?.kind ?? "process";
  claims.claim(
    "node port",
    "",
    gateway?.nodePort,
    ["gateway", "nodePort"],
    "choose another from 30000 to 32767",
  );
  if (mainRuntime !== "kubernetes")
    claims.claim("port", "", gateway?.port ?? 4664, ["gateway", "port"], "choose another");
  for (const [name, service] of Object.entries(spec.services ?? {})) {
    const at = ["services", name];
    claims.claim(
      "node port",
      "",
      service.nodePort,
      [...at, "nodePort"],
      "choose another from 30000 to 32767",
    );
    const runtime = service.runtime ?? mainRuntime;
    const scope = service.machine ?? "";
    // In a container or a pod each service has its own address; what is published on the host is one space.
    if (runtime === "process")
      claims.claim("port", scope, service.port, [...at, "port"], "choose another, or leave it to the plan");
    if (runtime !== "kubernetes")
      claims.claim("port", scope, service.hostPort, [...at, "hostPort"], "choose another");
  }
  for (const [name, key] of Object.entries(spec.keys ?? {})) {
    claims.claim("secret", "env", key.env, ["keys", name, "env"], "give each key a secret of its own");
    claims.claim("secret", "file", key.file, ["keys", name, "file"], "give each key a secret of its own");
  }
};

/** A name that clients ask for leads to one route. */
export const duplicateRouteNames: Rule = ({ spec }, report) => {
  const claims = new Claims(report);
  const routes = Object.entries(spec.routes ?? {});
  for (const [name] of routes) claims.claim("the name", "", name, ["routes", name], "");
  for (const [name, route] of routes) {
    route.aliases?.forEach((alias, i) =>
      claims.claim("the name", "", alias, ["routes", name, "aliases", i], "remove the alias, or rename it"),
    );
    const seen = new Set<string>();
    route.services.forEach((candidate, i) => {
      const plain = candidate.when === undefined;
      if (plain && seen.has(candidate.service))
        report({
          code: "spec.duplicate-identity",
          path: ["routes", name, "services", i],
          message: `${candidate.service} stands in the route twice`,
          hint: "remove one of the two, or give it a condition (when)",
        });
      if (plain) seen.add(candidate.service);
    });
  }
  for (const [name, service] of Object.entries(spec.services ?? {})) {
    service.engine?.forEach((engine, i) => {
      if (service.engine?.indexOf(engine) !== i)
        report({
          code: "spec.duplicate-identity",
          path: ["services", name, "engine", i],
          message: `${engine} stands in the chain of engines twice`,
          hint: "remove one of the two",
        });
    });
  }
};

/** Without a section of services each model is one, and two of them cannot have one name. */
export const duplicateModelNames: Rule = ({ spec, names }, report) => {
  if (spec.services !== undefined || names("services").length > 0) return;
  const first = new Map<string, string>();
  for (const model of Object.keys(spec.models ?? {})) {
    const service = serviceName(model);
    const other = first.get(service);
    if (other === undefined) first.set(service, model);
    else
      report({
        code: "spec.duplicate-identity",
        path: ["models", model],
        message: `${model} and ${other} would both be the service ${service}`,
        hint: `services: { ${service}: { model: ${other} }, … }`,
        at: "key",
      });
  }
};
