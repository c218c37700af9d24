import { readText } from "../../../inventory/cgroup.ts";
import { oncePerView } from "./once-per-view.ts";

/** What runs on a host, as the spec names platforms. */
export interface Platform {
  readonly kind: "proxmox" | "talos" | "linux";
  /** `9.1.1`, `1.12.11`; for a plain Linux that of the distribution. */
  readonly version?: string;
  /** For a person: `Proxmox VE 9.1.1`, `Debian GNU/Linux 13 (trixie)`. */
  readonly title: string;
}

/** What runs on the host, by pveversion and /etc/os-release; `undefined` where neither says anything. */
export const platformOf = oncePerView(async (view): Promise<Platform | undefined> => {
  const said = await view.said(["pveversion"]);
  const proxmox = said.ended ? /pve-manager\/(\d+(?:\.\d+)*)/.exec(said.stdout)?.[1] : undefined;
  if (proxmox !== undefined) return { kind: "proxmox", version: proxmox, title: `Proxmox VE ${proxmox}` };
  const release = readText(`${view.root}etc/os-release`) || readText(`${view.root}usr/lib/os-release`);
  const value = (key: string): string | undefined =>
    new RegExp(`^${key}="?([^"\\n]*)"?$`, "m").exec(release)?.[1];
  const id = value("ID");
  if (id === undefined) return undefined;
  const version = value("VERSION_ID")?.replace(/^v/, "");
  const known = version === undefined ? {} : { version };
  if (id === "talos") return { kind: "talos", ...known, title: `Talos ${version ?? ""}`.trim() };
  return { kind: "linux", ...known, title: value("PRETTY_NAME") ?? id };
});
