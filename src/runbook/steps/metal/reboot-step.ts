import { setTimeout as sleep } from "node:timers/promises";
import { OmniError } from "../../../core/index.ts";
import type { Host } from "../../../deployment/index.ts";
import type { HostTransport } from "../../../host/transport/index.ts";
import { bootGroups } from "../../../render/proxmox/boot-line.ts";
import { proxmoxHosts } from "../../../render/proxmox/proxmox-host.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Observation, Step, StepContext } from "../../step.ts";
import { BOOT_ID, REBOOT_NOTE } from "./boot-step.ts";
import { placeOf } from "./host-step.ts";
import { hostFiles, LOOK, rootOf } from "./rendered-on-host.ts";

/** Milliseconds: machines with much memory test it for minutes before they boot. */
const REBOOT = 30 * 60_000;
const ASK_AGAIN = 2000;

/** `reboot/NAME`: the host runs with the boot line and the kernel that are configured; it is rebooted where it does not. */
export function rebootStep(host: Host, input: RunbookInput): Step {
  const { name } = host;
  const own = proxmoxHosts(input.deployment).find((parts) => parts.host.name === name);
  const groups = own === undefined ? [] : bootGroups(own).map(({ words }) => words.join(" "));
  const { folder } = hostFiles(input.rendered, name);
  const pinned = host.kernel?.pin !== undefined || host.kernel?.atMost !== undefined;
  const wanted: RunningBoot = { groups, folder, pinned };
  return {
    id: `reboot/${name}`,
    phase: "metal",
    title: `${name} runs with what it is configured to boot`,
    asked: `machines.${name}.boot`,
    needs: [`host/${name}`, `boot/${name}`],
    inputs: { groups, kernel: host.kernel },
    timeout: REBOOT,
    precheck: async (context) => {
      const transport = await context.host(placeOf(host));
      if (transport.kind !== "local") return;
      throw new OmniError(
        "host.reboot-by-hand",
        `${name} is this very machine, and what it is configured to boot counts only after a reboot.`,
      );
    },
    consent: async (context) => ({
      token: `reboot:${name}`,
      text: `${(await context.host(placeOf(host))).name} (${name}) would be rebooted; all that runs on it, VMs included, ends.`,
    }),
    verify: async (context) => look(context, await context.host(placeOf(host)), wanted),
    apply: async (context) => reboot(context, await context.host(placeOf(host))),
    preview: [`systemctl reboot on ${name} where its boot line or kernel is not the configured one`],
  };
}

interface RunningBoot {
  /** Words of the boot line that stand next to each other. */
  readonly groups: readonly string[];
  readonly folder: string;
  /** The spec chooses a kernel. */
  readonly pinned: boolean;
}

async function look(
  context: StepContext,
  transport: HostTransport,
  { groups, folder, pinned }: RunningBoot,
): Promise<Observation> {
  const root = await rootOf(context, transport);
  const read = async (path: string): Promise<string> =>
    Buffer.from((await transport.readFile(root + path)) ?? [])
      .toString("utf8")
      .trim();
  const line = await read("/proc/cmdline");
  const missing = groups.filter((group) => !` ${line} `.includes(` ${group} `));
  if (missing.length > 0) return { done: false, missing: `/proc/cmdline has not ${missing.join(" ")}` };
  const kernel = await read("/proc/sys/kernel/osrelease");
  const pin = pinned ? await read("/etc/kernel/proxmox-boot-pin") : "";
  if (pin !== "" && pin !== kernel)
    return { done: false, missing: `kernel ${kernel} runs, and ${pin} is pinned` };
  const boot = await read(BOOT_ID);
  if (boot !== "" && (await read(`${folder}/${REBOOT_NOTE}`)) === boot)
    return { done: false, missing: "modules or boot files were changed since the last boot" };
  return { done: true, evidence: [`/proc/cmdline: ${line}`, `kernel ${kernel}`, `boot ${boot}`] };
}

async function reboot(context: StepContext, transport: HostTransport): Promise<void> {
  const root = await rootOf(context, transport);
  const bootId = async (): Promise<string> =>
    Buffer.from((await transport.readFile(root + BOOT_ID)) ?? [])
      .toString("utf8")
      .trim();
  const before = await bootId();
  // Behind the command's own end, so that its status arrives before the connection is gone.
  const later = "(sleep 1; exec systemctl reboot) </dev/null >/dev/null 2>&1 &";
  await context.run(transport, { argv: ["sh", "-c", later], timeout: LOOK });
  const since = performance.now();
  while ((await bootId().catch(() => before)) === before) {
    const seconds = Math.round((performance.now() - since) / 1000);
    context.progress({ done: seconds, unit: "seconds", text: `${transport.name} reboots` });
    await sleep(ASK_AGAIN, undefined, { signal: context.signal });
  }
}
