import type { Host } from "../../../deployment/index.ts";
import type { HostTransport } from "../../../host/transport/index.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Observation, Step, StepContext } from "../../step.ts";
import { placeOf } from "./host-step.ts";
import {
  bringFiles,
  differingFiles,
  hostFiles,
  pendingOf,
  rootOf,
  runRendered,
  tryAside,
  tryRendered,
} from "./rendered-on-host.ts";
import type { HostFiles } from "./rendered-on-host.ts";

/** Milliseconds: installing a kernel and making an initramfs for each. */
const APPLY = 30 * 60_000;

/** File in the host's folder with the boot_id of the boot after which changes count. */
export const REBOOT_NOTE = "reboot-needed";
export const BOOT_ID = "/proc/sys/kernel/random/boot_id";

/** `boot/NAME`: boot line, kernel, modules and the switch script of a Proxmox host, by the rendered apply.sh. */
export function bootStep(host: Host, input: RunbookInput): Step | undefined {
  const { name } = host;
  const wanted = hostFiles(input.rendered, name);
  if (!wanted.files.some(({ path }) => path === "apply.sh")) return undefined;
  return {
    id: `boot/${name}`,
    phase: "metal",
    title: `Boot line, kernel and modules of ${name}`,
    asked: `machines.${name}.boot`,
    needs: [`host/${name}`],
    inputs: wanted.files.map(({ path, sha256 }) => [path, sha256]),
    timeout: APPLY,
    precheck: async (context) => {
      // Refusals of the script are told before anything is changed.
      const script = { name: "apply.sh", timeout: APPLY };
      await tryAside(context, await context.host(placeOf(host)), wanted, script);
    },
    verify: async (context) => look(context, await context.host(placeOf(host)), wanted),
    apply: async (context) => applyBoot(context, await context.host(placeOf(host)), wanted),
    preview: [
      `bring ${wanted.files.map(({ path }) => path).join(", ")} to ${wanted.folder} of ${name}`,
      `${wanted.folder}/apply.sh`,
    ],
  };
}

async function scriptOf(
  context: StepContext,
  transport: HostTransport,
  { folder }: HostFiles,
): Promise<{ readonly path: string; readonly timeout: number }> {
  return { path: `${await rootOf(context, transport)}${folder}/apply.sh`, timeout: APPLY };
}

/** What a dry run says that is still to be done; nothing where the host is as it should be. */
function openWork(said: string): string | undefined {
  const open = pendingOf(said);
  if (open.length === 0 && said.includes("Nothing has changed.")) return undefined;
  return open.join("; ") || "apply.sh would change something";
}

async function look(context: StepContext, transport: HostTransport, wanted: HostFiles): Promise<Observation> {
  const root = await rootOf(context, transport);
  const differing = await differingFiles(transport, root, wanted);
  if (differing.length > 0)
    return { done: false, missing: `not there as rendered: ${differing.map(({ path }) => path).join(", ")}` };
  const said = await tryRendered(context, transport, await scriptOf(context, transport, wanted));
  const open = openWork(said);
  if (open !== undefined) return { done: false, missing: open };
  return { done: true, evidence: [`${wanted.folder}/apply.sh --dry-run: nothing would change`] };
}

async function applyBoot(context: StepContext, transport: HostTransport, wanted: HostFiles): Promise<void> {
  await bringFiles(context, transport, wanted);
  const script = await scriptOf(context, transport, wanted);
  // Where only its own files were missing, nothing counts from another boot on.
  if (openWork(await tryRendered(context, transport, script)) === undefined) return;
  const root = await rootOf(context, transport);
  const note = `${root}${wanted.folder}/${REBOOT_NOTE}`;
  const boot = (await transport.readFile(`${root}${BOOT_ID}`)) ?? "";
  const before = await transport.readFile(note);
  // Before the change: a run that is cut off inside it asks for one reboot too many rather than for none.
  await transport.writeFile(note, boot, { mode: 0o644 });
  const said = await runRendered(context, transport, script);
  if (!said.includes("Reboot this host") && before === undefined)
    await context.run(transport, { argv: ["rm", "-f", "--", note], timeout: 60_000 });
}
