import { formatDuration, OmniError } from "../../core/index.ts";
import { switchScript } from "../../render/proxmox/gpu-switch/index.ts";
import type { SwitchCard } from "../../render/proxmox/gpu-switch/index.ts";
import type { CardFacts, FunctionFacts } from "./card-facts.ts";
import { observeCards } from "./observe-cards.ts";
import { runScript } from "./run-script.ts";
import type { HostTo } from "./run-script.ts";
import { openSwitch, statesOf } from "./switch-record.ts";
import type { FunctionState, SwitchBook, SwitchRecord } from "./switch-record.ts";
import { unlockedOptions } from "./unbind-consent.ts";
import type { GivenConsent } from "./unbind-consent.ts";

/** Milliseconds of a whole switch: a write may take 30 s, NVIDIA's lock as long, a card has up to four functions. */
export const SWITCH = 600_000;

/** A switch of cards on a host. */
export interface SwitchRequest {
  readonly host: HostTo;
  readonly cards: readonly SwitchCard[];
  readonly book: SwitchBook;
  readonly consent: GivenConsent;
  readonly dryRun: boolean;
  /** Told of what the script says, as it says it. */
  readonly told: (stream: "stdout" | "stderr", text: string) => void;
}

export interface BindRequest extends SwitchRequest {
  readonly to: "vfio" | "nvidia";
  readonly order: readonly ("audio" | "video")[];
}

/** What came of a switch. */
export interface BindResult {
  /** Where every function is now. */
  readonly functions: readonly FunctionState[];
  /** Some function is bound to another driver than before. */
  readonly changed: boolean;
}

/**
 * Moves cards to vfio-pci or back to a driver of the host by the rendered script, and writes down what was there before and
 * after. Throws `OmniError` `gpu.refused`, `gpu.consent`, `gpu.unfinished` (nothing was moved) and `gpu.failed`.
 */
export async function bindCards(request: BindRequest): Promise<BindResult> {
  const { host, cards, book, to, dryRun } = request;
  const seen = await observeCards(host, cards);
  const left = openSwitch(book.of(host.name, seen.boot));
  if (left !== undefined) throw unfinished(left);
  const options = unlockedOptions(
    seen.cards.filter((card) => moves(card, to)),
    to === "vfio",
    request.consent,
  );
  const words = [...options, ...(dryRun ? ["--dry-run"] : []), to === "vfio" ? "to-vfio" : "restore"];
  const script = switchScript({ cards, withoutAddress: [] }, request.order);
  const before = statesOf(seen);
  if (dryRun) {
    settle((await runScript(host, script, words, SWITCH, request.told)).code, host);
    return { functions: before, changed: false };
  }
  const id = book.begin({ host: host.name, boot: seen.boot, action: to, before });
  if (id === undefined) throw unfinished(openSwitch(book.of(host.name, seen.boot)));
  const { code } = await runScript(host, script, words, SWITCH, request.told);
  const after = statesOf(await observeCards(host, cards));
  book.end(id, OUTCOMES.get(code) ?? "failed", after);
  settle(code, host);
  return {
    functions: after,
    changed: before.some((state) => driverIn(after, state.address) !== state.driver),
  };
}

/** What the script's exit status means to the record. */
export const OUTCOMES: ReadonlyMap<number, string> = new Map([
  [0, "done"],
  [3, "refused"],
]);

const driverIn = (states: readonly FunctionState[], address: string): string | undefined =>
  states.find((state) => state.address === address)?.driver;

const moves = (card: CardFacts, to: "vfio" | "nvidia"): boolean =>
  card.functions.some(({ present, driver }) => present && isElsewhere(driver, to));

const isElsewhere = (driver: FunctionFacts["driver"], to: "vfio" | "nvidia"): boolean =>
  to === "vfio" ? driver !== "vfio-pci" : driver === "vfio-pci";

/** The script has said what and why; this is what the command ends with. Throws for all but success. */
export function settle(code: number, host: HostTo): void {
  if (code === 0) return;
  if (code === 3)
    throw new OmniError("gpu.refused", `The switch on ${host.name} was refused; nothing was moved.`, {
      hint: "Each refusal above says why and what to do about it; then run the same command again.",
    });
  throw new OmniError("gpu.failed", `The switch on ${host.name} failed on the way (exit status ${code}).`);
}

/** The refusal where an earlier switch did not end. */
function unfinished(left: SwitchRecord | undefined): OmniError {
  const when =
    left === undefined ? "just now" : `${formatDuration(Math.max(Date.now() - left.begun, 0))} ago`;
  return new OmniError(
    "gpu.unfinished",
    `A switch to ${left?.action ?? "another driver"} that began ${when} has not ended: it is at work, or it was cut off half-way. Nothing was moved.`,
    {
      hint: "Wait if it is at work (./omni gpu status says so); else ./omni gpu restore brings back what was there before it.",
    },
  );
}
