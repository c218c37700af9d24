import type { GuestSystem } from "../../../deployment/index.ts";
import type { HostTransport } from "../../../host/transport/index.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Observation, Step, StepContext } from "../../step.ts";
import { placeOf } from "../metal/host-step.ts";
import {
  bringFiles,
  differingFiles,
  hostFiles,
  LOOK,
  pendingOf,
  rootOf,
  runRendered,
  tryAside,
  tryRendered,
} from "../metal/rendered-on-host.ts";
import type { HostFiles } from "../metal/rendered-on-host.ts";
import { carrierOf } from "./carried-guest.ts";

/** Milliseconds: 300 GiB of hugepages for a VM with passed-through cards take Proxmox up to 20 minutes. */
const START = 40 * 60_000;

/** A VM and the rendered files that make it. */
interface WantedVm {
  readonly id: number;
  readonly files: HostFiles;
}

/** `vm/GUEST`: the VM is made once, set as the spec says, and runs. */
export function vmStep(guest: GuestSystem, input: RunbookInput): Step | undefined {
  const carrier = carrierOf(input.deployment, guest.name);
  if (carrier === undefined) return undefined;
  const { host, vmId } = carrier;
  const files = hostFiles(input.rendered, host.name);
  const wanted: WantedVm = { id: vmId, files };
  const script = files.files.find(({ path }) => path === `vm-${vmId}.sh`);
  return {
    id: `vm/${guest.name}`,
    phase: "guest",
    title: `VM ${vmId} (${guest.name}) on ${host.name}`,
    asked: `guests.${guest.name}.vm`,
    needs: [
      `host/${host.name}`,
      `boot/${host.name}`,
      `reboot/${host.name}`,
      `cards/${host.name}`,
      `iso/${guest.name}`,
    ],
    inputs: { id: vmId, script: script?.sha256 },
    timeout: START,
    precheck: async (context) => {
      const script = { name: `vm-${vmId}.sh`, timeout: START };
      await tryAside(context, await context.host(placeOf(host)), files, script);
    },
    verify: async (context) => look(context, await context.host(placeOf(host)), wanted),
    apply: async (context) => makeVm(context, await context.host(placeOf(host)), wanted),
    preview: [
      `bring vm-${vmId}.sh to ${files.folder} of ${host.name}`,
      `${files.folder}/vm-${vmId}.sh --start`,
    ],
  };
}

async function scriptOf(
  context: StepContext,
  transport: HostTransport,
  { id, files }: WantedVm,
): Promise<{ readonly path: string; readonly timeout: number }> {
  return { path: `${await rootOf(context, transport)}${files.folder}/vm-${id}.sh`, timeout: START };
}

async function look(context: StepContext, transport: HostTransport, wanted: WantedVm): Promise<Observation> {
  const root = await rootOf(context, transport);
  const differing = await differingFiles(transport, root, wanted.files);
  const own = differing.find(({ path }) => path === `vm-${wanted.id}.sh`);
  if (own !== undefined) return { done: false, missing: `${own.path} is not there as rendered` };
  const said = await tryRendered(context, transport, await scriptOf(context, transport, wanted));
  const open = pendingOf(said);
  if (open.length > 0) return { done: false, missing: open.join("; ") };
  const status = await context.look(transport, { argv: ["qm", "status", String(wanted.id)], timeout: LOOK });
  const running = status.ended && /\brunning\b/.test(status.stdout);
  return running
    ? { done: true, evidence: [`qm config ${wanted.id}: as rendered`, `qm ${status.stdout.trim()}`] }
    : { done: false, missing: `VM ${wanted.id} does not run` };
}

async function makeVm(context: StepContext, transport: HostTransport, wanted: WantedVm): Promise<void> {
  await bringFiles(context, transport, wanted.files);
  const script = await scriptOf(context, transport, wanted);
  const there = async (): Promise<boolean> => {
    const config = await context.look(transport, {
      argv: ["qm", "config", String(wanted.id)],
      timeout: LOOK,
    });
    return config.ended && config.code === 0;
  };
  await context.effect(`qm-create-${wanted.id}`, there, async () => {
    await runRendered(context, transport, script);
  });
  await runRendered(context, transport, { ...script, words: ["--start"] });
}
