import { readText } from "../../../inventory/cgroup.ts";
import type { Check, DoctorSubject, Finding } from "../check.ts";
import { hostParts, readKernelLog } from "../facts/index.ts";

const ID = "memory.firmware";

/** What the firmware left off that guests need: seen from the processor's flags and the kernel's words. */
export const firmware: Check = {
  id: ID,
  title: "Virtualisation in the firmware",
  async look(subject): Promise<readonly Finding[]> {
    const parts = hostParts(subject);
    if (parts === undefined || parts.vms.length === 0) return [];
    const info = readText(`${subject.view.root}proc/cpuinfo`);
    const flags = (/^flags\s*:(.*)$/m.exec(info)?.[1] ?? "").trim().split(/\s+/);
    if (flags.length < 2) return [{ check: ID, state: "unknown", seen: "/proc/cpuinfo lists no flags" }];
    const amd = info.includes("AuthenticAMD");
    const flag = amd ? "svm" : "vmx";
    const off = await saidDisabled(subject);
    if (flags.includes(flag) && off === undefined) return [{ check: ID, state: "ok", seen: `${flag} is on` }];
    return [
      {
        check: ID,
        state: "error",
        seen: off === undefined ? `the processor shows no ${flag}` : `the kernel says: ${off}`,
        wanted: flag,
        why: "Without it no virtual machine runs at a usable speed, and none with a card.",
        remedy: amd ? 'Turn "SVM mode" on in the BIOS.' : 'Turn "Intel VT-x" and "VT-d" on in the BIOS.',
        path: `machines.${parts.host.name}`,
      },
    ];
  },
};

async function saidDisabled({ view }: DoctorSubject): Promise<string | undefined> {
  const log = await readKernelLog(view);
  const lines = log.readable ? log.lines : [];
  return lines.find(({ text, thisBoot }) => thisBoot && /SVM disabled|VMX .*disabled/.test(text))?.text;
}
