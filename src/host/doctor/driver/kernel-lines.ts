import { driverCards } from "../scope.ts";
import type { Check } from "../check.ts";
import { saidText } from "../said.ts";

const ID = "driver.kernel-log";

/** Lines of the driver in the kernel's log that say why a card did not start, most telling first. */
const LINES: readonly { readonly form: RegExp; readonly why: string; readonly remedy: string }[] = [
  {
    form: /requires.*open.*kernel modules/i,
    why: "The card is newer than the proprietary modules know.",
    remedy: "Install the open kernel modules (nvidia-open), then reboot.",
  },
  {
    form: /RmInitAdapter failed/,
    why: "The driver found the card and could not start it.",
    remedy:
      "After a VM or a hang: power the machine off, not only reboot. Else: nvidia-bug-report.sh and the line's code.",
  },
  {
    form: /API mismatch/,
    why: "A program came with another version of the driver's library than the loaded module.",
    remedy: "Reboot, or rebuild the container without a driver of its own.",
  },
  {
    form: /Key was rejected by service/,
    why: "Secure Boot refuses the module.",
    remedy: "mokutil --import /var/lib/dkms/mok.pub, reboot and enroll it on the console.",
  },
  {
    form: /This PCI I\/O region assigned to your NVIDIA device is invalid/,
    why: "The firmware gave the card no address space.",
    remedy: "Switch on Above 4G decoding and Resizable BAR in the BIOS.",
  },
];

/** What the driver wrote into the kernel's log when it started. */
export const driverLog: Check = {
  id: ID,
  title: "Driver in the kernel's log",
  look: async (subject) => {
    if (driverCards(subject).length === 0) return [];
    const log =
      (await saidText(subject.view, ["dmesg"])) ??
      (await saidText(subject.view, ["journalctl", "--dmesg", "--boot", "--no-pager", "--output=cat"]));
    if (log === undefined)
      return [
        { check: ID, state: "unknown", seen: "the kernel's log cannot be read", remedy: "As root: dmesg" },
      ];
    const lines = log
      .split("\n")
      .filter((line) => /NVRM|nvidia|modprobe/i.test(line) || line.includes("Key was"));
    const told = LINES.flatMap(({ form, why, remedy }) => {
      const line = lines.findLast((one) => form.test(one));
      return line === undefined
        ? []
        : [{ check: ID, state: "error" as const, seen: line.trim().slice(0, 300), why, remedy }];
    });
    return told.length > 0 ? told : [{ check: ID, state: "ok", seen: "no trouble of the driver" }];
  },
};
