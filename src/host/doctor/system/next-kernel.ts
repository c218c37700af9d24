import { kernelChoice } from "../../../render/proxmox/kernel-choice.ts";
import type { Check, Finding } from "../check.ts";
import { installedKernels, pinnedKernel, platformOf } from "../facts/index.ts";
import { kernelWish } from "./kernel-fit.ts";

const ID = "system.next-kernel";

/** The kernel that the next boot takes: the pin of proxmox-boot-tool, else the newest that is installed. */
export const nextKernel: Check = {
  id: ID,
  title: "Kernel of the next boot",
  async look({ view, host, deployment }): Promise<readonly Finding[]> {
    const choice =
      host === undefined || deployment === undefined ? undefined : kernelChoice(host, deployment);
    const pin = pinnedKernel(view.root);
    const installed = installedKernels(view.root);
    const [newest] = installed;
    const next = pin.once ?? pin.always ?? newest;
    if (host === undefined || choice === undefined || choice.refused !== undefined) {
      if (pin.always === undefined) return [];
      return [
        {
          check: ID,
          state: "note",
          seen: `kernel ${pin.always} is pinned, and nothing in the spec asks for it`,
          why: "A pin keeps security updates of the kernel away.",
          remedy: "proxmox-boot-tool kernel unpin   # unless you pinned it on purpose",
          source: "Proxmox VE, host bootloader: remove pins as soon as possible",
        },
      ];
    }
    const path = `machines.${host.name}.kernel`;
    if (next === undefined) {
      const talos = (await platformOf(view))?.kind === "talos";
      const seen = talos ? "Talos boots the kernel of its image" : "no kernel is to be seen in /boot";
      return [{ check: ID, state: "unknown", seen, path }];
    }
    const gone = pin.always !== undefined && installed.length > 0 && !installed.includes(pin.always);
    const wanted = kernelWish(next, choice);
    const seen = seenOf(next, pin);
    if (wanted === undefined && !gone) return [{ check: ID, state: "ok", seen, path }];
    return [
      {
        check: ID,
        state: gone ? "error" : "warning",
        seen: gone ? `${seen}, and /boot/vmlinuz-${pin.always ?? ""} is not there` : seen,
        wanted: wanted ?? next,
        why: "The next reboot, which may be a power cut at night, starts another kernel than the spec asks for.",
        remedy: "./omni apply --to metal   # pins it: proxmox-boot-tool kernel pin",
        path,
        source: "Proxmox VE, host bootloader: proxmox-boot-tool kernel pin",
      },
    ];
  },
};

function seenOf(next: string, { always, once }: ReturnType<typeof pinnedKernel>): string {
  if (once !== undefined) return `kernel ${once}, pinned for the next boot alone`;
  return always === undefined
    ? `kernel ${next}, the newest in /boot; nothing is pinned`
    : `kernel ${next}, pinned`;
}
