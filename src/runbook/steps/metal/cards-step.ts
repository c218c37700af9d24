import { OmniError } from "../../../core/index.ts";
import type { Host } from "../../../deployment/index.ts";
import { observeCards } from "../../../host/gpu/index.ts";
import type { CardFacts } from "../../../host/gpu/index.ts";
import type { HostTransport } from "../../../host/transport/index.ts";
import { switchCards } from "../../../render/proxmox/gpu-switch/index.ts";
import type { SwitchCard } from "../../../render/proxmox/gpu-switch/index.ts";
import { proxmoxHosts } from "../../../render/proxmox/proxmox-host.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Consent, Observation, Step, StepContext } from "../../step.ts";
import { placeOf } from "./host-step.ts";
import { rootOf, runRendered } from "./rendered-on-host.ts";

/** Milliseconds: a write may take 30 s, NVIDIA's lock as long, a card has up to four functions. */
const SWITCH = 10 * 60_000;

/** `cards/NAME`: every function of the cards that are handed away is bound to vfio-pci. */
export function cardsStep(host: Host, input: RunbookInput): Step | undefined {
  const { name } = host;
  const bind = proxmoxHosts(input.deployment).find((parts) => parts.host.name === name)?.bind;
  const { cards } = switchCards(host, input.deployment);
  if (bind === undefined || cards.length === 0) return undefined;
  const program = host.passthrough?.script ?? "/usr/local/bin/omni-switch";
  const names = cards.map((card) => `${card.name} (${card.slot})`).join(", ");
  return {
    id: `cards/${name}`,
    phase: "metal",
    title: `Cards of ${name} ready for a VM: ${names}`,
    asked: `machines.${name}.passthrough`,
    needs: [`host/${name}`, `boot/${name}`, `reboot/${name}`],
    inputs: { bind, cards, program },
    timeout: SWITCH,
    verify: async (context) => look(await context.host(placeOf(host)), cards),
    precheck: async (context) => {
      if (bind === "early") await refuseEarly(await context.host(placeOf(host)), cards);
    },
    consent: async (context) => consentFor(await context.host(placeOf(host)), cards),
    apply: async (context) => switchOver(context, await context.host(placeOf(host)), program),
    preview: [bind === "early" ? `look whether vfio-pci has ${names}` : `${program} to-vfio`],
  };
}

/** Functions that are not with vfio-pci, `0000:f1:00.0 (nvidia)`. */
const elsewhere = ({ functions }: CardFacts): readonly string[] =>
  functions
    .filter(({ present, driver }) => present && driver !== "vfio-pci")
    .map(({ address, driver }) => `${address} (${driver || "no driver"})`);

async function look(transport: HostTransport, wanted: readonly SwitchCard[]): Promise<Observation> {
  const { cards } = await observeCards(transport, wanted);
  const gone = cards.filter(({ functions }) => !functions.some(({ present }) => present));
  if (gone.length > 0)
    return {
      done: false,
      missing: `not on the bus: ${gone.map(({ name, slot }) => `${name} (${slot})`).join(", ")}`,
    };
  const open = cards.flatMap(elsewhere);
  if (open.length > 0) return { done: false, missing: `not with vfio-pci: ${open.join(", ")}` };
  return { done: true, evidence: cards.map(({ name, slot }) => `${name} (${slot}) is with vfio-pci`) };
}

/** What binds at boot has either bound by now or will not. Throws `OmniError` `host.refused`. */
async function refuseEarly(transport: HostTransport, cards: readonly SwitchCard[]): Promise<void> {
  const found = await look(transport, cards);
  if (found.done) return;
  throw new OmniError(
    "host.refused",
    `vfio-pci did not take the cards of ${transport.name} at boot: ${found.missing}.`,
    {
      hint: "Look at /etc/modprobe.d/omni-vfio-ids.conf and at lsinitramfs on the host; another driver that is in the initramfs comes first. passthrough.bind: switch moves them later.",
    },
  );
}

/** Asked for where a driver of the host or a program has a card. */
async function consentFor(
  transport: HostTransport,
  wanted: readonly SwitchCard[],
): Promise<Consent | undefined> {
  const { cards } = await observeCards(transport, wanted);
  const taken = cards.filter(({ users, functions }) => users.length > 0 || functions.some(isOwned));
  const [first] = taken;
  if (first === undefined) return undefined;
  const text = taken.map(
    (card) =>
      `${card.name} (${card.slot}) would be taken from ${elsewhere(card).join(", ")}${card.users.length === 0 ? "" : `, used by ${card.users.map(({ pid, program }) => `PID ${pid} (${program})`).join(", ")}`}`,
  );
  return {
    token: `unbind:${taken.map(({ uuid, slot }) => uuid ?? slot).join("+")}`,
    text: `${text.join("; ")}.`,
  };
}

const isOwned = ({ present, driver }: CardFacts["functions"][number]): boolean =>
  present && driver !== "" && driver !== "vfio-pci";

async function switchOver(context: StepContext, transport: HostTransport, program: string): Promise<void> {
  const root = await rootOf(context, transport);
  await runRendered(context, transport, { path: root + program, words: ["to-vfio"], timeout: SWITCH });
}
