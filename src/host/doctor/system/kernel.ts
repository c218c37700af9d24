import { kernelChoice } from "../../../render/proxmox/kernel-choice.ts";
import type { Check, DoctorSubject, Finding } from "../check.ts";
import { platformOf, runningKernel } from "../facts/index.ts";
import { expectedLine, kernelWish } from "./kernel-fit.ts";

const ID = "system.kernel";

/** The running kernel, beside pin, bound and package of the spec. */
export const kernel: Check = {
  id: ID,
  title: "Running kernel",
  async look(subject): Promise<readonly Finding[]> {
    const running = runningKernel(subject.view.root);
    if (running === undefined)
      return [
        { check: ID, state: "unknown", seen: "/proc/sys/kernel/osrelease does not tell the running kernel" },
      ];
    const beside = besideSpec(subject, running);
    const platform = await platformOf(subject.view);
    const expected = platform?.kind === "proxmox" ? expectedLine(platform.version ?? "", running) : undefined;
    const old: readonly Finding[] =
      expected === undefined
        ? []
        : [
            {
              check: ID,
              subject: platform?.title ?? "",
              state: "note",
              seen: `kernel ${running}`,
              wanted: `${expected} or newer`,
              why: `${platform?.title ?? ""} is tested with ${expected} and newer; an older kernel works on many hosts and is nobody's problem but yours when it does not.`,
              remedy:
                "Remove pin, package and atMost from omni.yaml unless this kernel was chosen on purpose.",
              source: "Proxmox VE pve8to9: after the upgrade only kernels from 6.14 on are expected",
            },
          ];
    return [...beside, ...old];
  },
};

function besideSpec({ host, deployment }: DoctorSubject, running: string): readonly Finding[] {
  const choice = host === undefined || deployment === undefined ? undefined : kernelChoice(host, deployment);
  const seen = `kernel ${running}`;
  if (host === undefined || choice === undefined) return [{ check: ID, state: "ok", seen }];
  const path = `machines.${host.name}.kernel`;
  if (choice.refused !== undefined)
    return [
      {
        check: ID,
        state: "error",
        seen,
        wanted: "a pin, package and bound that can all hold",
        why: choice.refused,
        remedy: "Correct kernel in omni.yaml.",
        path,
      },
    ];
  const wanted = kernelWish(running, choice);
  if (wanted === undefined) return [{ check: ID, state: "ok", seen, path }];
  return [
    {
      check: ID,
      state: "warning",
      seen,
      wanted,
      why: "Passthrough of these cards was proven with the kernel in the spec; another one may hang or refuse them.",
      remedy: "./omni apply --to metal   # installs and pins it; then reboot",
      path,
    },
  ];
}
