import { existsSync } from "node:fs";
import { compareVersions } from "../../../core/version-order.ts";
import { readText } from "../../../inventory/cgroup.ts";
import type { Check, Finding } from "../check.ts";
import { installedKernels, pinnedKernel, runningKernel } from "../facts/index.ts";

const ID = "system.pending-reboot";

/** What was installed and counts only after a reboot. */
export const pendingReboot: Check = {
  id: ID,
  title: "Pending reboot",
  look({ view }): readonly Finding[] {
    const running = runningKernel(view.root);
    const pin = pinnedKernel(view.root);
    const next = pin.once ?? pin.always ?? installedKernels(view.root)[0];
    const asked = existsSync(`${view.root}run/reboot-required`);
    const packages = readText(`${view.root}run/reboot-required.pkgs`).split("\n").filter(Boolean);
    const other = running !== undefined && next !== undefined && isOther(running, next, pin);
    const reasons = [
      ...(other ? [`kernel ${running} runs and ${next} is next`] : []),
      ...(asked
        ? [`packages ask for a reboot${packages.length === 0 ? "" : `: ${packages.slice(0, 5).join(", ")}`}`]
        : []),
    ];
    if (reasons.length === 0)
      return running === undefined ? [] : [{ check: ID, state: "ok", seen: "nothing waits for a reboot" }];
    return [
      {
        check: ID,
        state: "note",
        seen: reasons.join("; "),
        why: "Modules of the running kernel may be gone from the disk, so that nothing new can be loaded until then.",
        remedy: "Reboot when the services may stop.",
      },
    ];
  },
};

/** Without a pin an older newest kernel than the running one means that /boot is not the whole truth. */
const isOther = (running: string, next: string, pin: ReturnType<typeof pinnedKernel>): boolean =>
  (pin.always ?? pin.once) === undefined ? compareVersions(next, running) > 0 : next !== running;
