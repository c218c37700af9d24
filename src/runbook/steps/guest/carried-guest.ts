import type { Deployment, Host } from "../../../deployment/index.ts";
import { proxmoxHosts } from "../../../render/proxmox/proxmox-host.ts";
import { installerName } from "../../../render/proxmox/vm-script.ts";
import { factoryUrl, imageNames, imageText } from "../../../render/talos/images.ts";
import { schematicOf } from "../../../render/talos/schematic.ts";
import type { TalosGuest } from "../../../render/talos/talos-guest.ts";

/** The Proxmox host that carries a guest as a VM, and the VM's number; nothing for a guest that is none. */
export function carrierOf(
  deployment: Deployment,
  guest: string,
): { readonly host: Host; readonly vmId: number } | undefined {
  for (const { host, vms } of proxmoxHosts(deployment)) {
    const hosted = vms.find((one) => one.guest.name === guest);
    if (hosted !== undefined) return { host, vmId: hosted.vm.id };
  }
  return undefined;
}

/** What a guest is installed from. */
export interface TalosImage {
  /** URL of the image factory. */
  readonly factory: string;
  readonly schematic: string;
  /** 64 hex digits; absent where only the factory can tell. */
  readonly id?: string;
  /** Where the ISO is fetched from, and its file on the host. */
  readonly iso?: { readonly url: string; readonly path: string };
}

/** Folder of Proxmox's own storage in which it looks for ISOs; the rendered vm-ID.sh looks there too. */
const ISO_FOLDER = "/var/lib/vz/template/iso";

export function talosImage(own: TalosGuest): TalosImage {
  const { id, text } = schematicOf(own);
  const name = imageNames(own).find(({ variable }) => variable === "TALOS_ISO");
  const path = `${ISO_FOLDER}/${installerName(own.talos.version)}`;
  return {
    factory: factoryUrl(own),
    schematic: text,
    ...(id === undefined ? {} : { id }),
    ...(id === undefined || name === undefined ? {} : { iso: { url: imageText(name, id), path } }),
  };
}
