import type { Deployment, GuestSystem, Host } from "../../deployment/index.ts";

export type Vm = NonNullable<GuestSystem["vm"]>;
export type Gpu = NonNullable<Host["gpus"]>[string];

/** A virtual machine of a host, with the system in it. */
export interface HostedVm {
  readonly guest: GuestSystem;
  readonly vm: Vm;
  /** Name in Proxmox. */
  readonly name: string;
}

/** A card that leaves the host. */
export interface PassedCard {
  readonly name: string;
  readonly gpu: Gpu;
  /** Proxmox resource mapping that stands for it. */
  readonly mapping: string;
}

/** One Proxmox host with all that the deployment puts on it. */
export interface ProxmoxHost {
  readonly host: Host;
  readonly deployment: string;
  readonly vms: readonly HostedVm[];
  /** Cards that are handed to guests, in the order of the spec. */
  readonly cards: readonly PassedCard[];
  /** Cards handed over at boot, or moved by the switch script; absent where nothing is handed over. */
  readonly bind: "early" | "switch" | undefined;
}

const carries = (guest: GuestSystem, host: Host, hosts: readonly Host[]): boolean =>
  guest.machine === undefined ? hosts.length === 1 : guest.machine === host.name;

function vmsOf(host: Host, hosts: readonly Host[], deployment: Deployment): readonly HostedVm[] {
  return deployment.guests.flatMap((guest) =>
    guest.vm !== undefined && carries(guest, host, hosts)
      ? [{ guest, vm: guest.vm, name: guest.vm.name ?? deployment.name }]
      : [],
  );
}

/** Mappings belong to the whole Proxmox cluster, so a card's name alone does where no other host has a card of that name. */
function mappingOf(card: string, host: Host, hosts: readonly Host[]): string {
  const shared = hosts.some((other) => other !== host && other.gpus?.[card] !== undefined);
  return shared ? `omni-${host.name}-${card}` : `omni-${card}`;
}

function proxmoxHost(host: Host, hosts: readonly Host[], deployment: Deployment): ProxmoxHost {
  const vms = vmsOf(host, hosts, deployment);
  const slots = vms.flatMap(({ vm }) => Object.values(vm.hostpci ?? {}));
  const named = new Set([...(host.passthrough?.cards ?? []), ...slots.map(({ gpu }) => gpu)]);
  const cards = Object.entries(host.gpus ?? {}).flatMap(([name, gpu]) => {
    const typed = slots.find((slot) => slot.gpu === name)?.mapping;
    return named.has(name) ? [{ name, gpu, mapping: typed ?? mappingOf(name, host, hosts) }] : [];
  });
  const bind = cards.length === 0 ? undefined : (host.passthrough?.bind ?? "early");
  return { host, deployment: deployment.name, vms, cards, bind };
}

/** The hosts of the deployment that run Proxmox, in the order of the spec. */
export function proxmoxHosts(deployment: Deployment): readonly ProxmoxHost[] {
  const hosts = deployment.hosts.filter(({ platform }) => platform === "proxmox");
  return hosts.map((host) => proxmoxHost(host, hosts, deployment));
}

/** Whether the spec says anything about this host that Proxmox would have to be told. */
export const asksForSomething = ({ host, vms, cards }: ProxmoxHost): boolean =>
  vms.length > 0 ||
  cards.length > 0 ||
  host.kernel !== undefined ||
  host.memory?.hugepages !== undefined ||
  [host.boot?.arguments, host.boot?.blacklist, Object.keys(host.boot?.modules ?? {})].some(
    (list) => (list ?? []).length > 0,
  );
