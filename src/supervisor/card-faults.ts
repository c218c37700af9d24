import type { EventLog } from "../core/index.ts";
import { CODES, formatDuration } from "../core/index.ts";
import type { EngineFailure } from "../engines/engine.ts";
import type { FaultWords } from "../watch/describe-fault.ts";
import { describeFault, recoveryFor } from "../watch/describe-fault.ts";
import type { CardFault, Watch } from "../watch/reading.ts";
import type { Clock } from "./clock.ts";
import type { CardIdentity } from "./memory-wait.ts";
import type { Replanning } from "./replanning.ts";
import type { ServiceKeeper } from "./service-keeper.ts";

export interface CardFaultOptions {
  readonly watch: Watch;
  readonly cards: ReadonlyMap<string, CardIdentity>;
  readonly keepers: () => Iterable<ServiceKeeper>;
  readonly replanning: Replanning;
  readonly events: EventLog;
  readonly clock: Clock;
  /** Milliseconds that a card must be back before services return to it. */
  readonly coolDown: number;
}

type Device = readonly [name: string, card: CardIdentity];

/** Does what follows from a fault of a card: ends what ran on a lost one, plans without it, and with it once it is back. */
export class CardFaults {
  readonly #options: CardFaultOptions;
  readonly #ignore: () => void;
  /** Lost devices, and what cancels their return. */
  readonly #lost = new Map<string, () => void>();

  constructor(options: CardFaultOptions) {
    this.#options = options;
    this.#ignore = options.watch.onFault((fault) => this.#take(fault));
  }

  close(): void {
    this.#ignore();
    for (const cancel of this.#lost.values()) cancel();
  }

  #take(fault: CardFault): void {
    const { watch, events } = this.#options;
    const device = this.#deviceOf(fault);
    const reading = watch
      .latest()
      ?.cards.find(({ uuid, pci }) => (fault.kind === "xid" ? pci === fault.pci : uuid === fault.uuid));
    const where = device === undefined ? (reading?.name ?? "A card") : `${device[0]} (${device[1].name})`;
    const words = describeFault(fault, where, reading);
    events.record({
      kind: words.code,
      severity: words.severity,
      message: `${words.message} ${words.hint}`,
      data: { ...fault, ...(device === undefined ? {} : { device: device[0] }) },
    });
    if (device === undefined) return;
    if (fault.kind === "back") this.#return(device);
    else if (fault.kind === "lost") this.#lose(device, words);
    else if (LOST.has(recoveryFor(fault.xid, fault.text).action)) this.#lose(device, words);
    else if (fault.pid !== undefined) void this.#restartCulprit(fault.pid, device, words);
  }

  #deviceOf(fault: CardFault): Device | undefined {
    return [...this.#options.cards].find(([, { uuid, pci, index }]) => {
      if (fault.kind === "xid")
        return samePlace(pci, fault.pci) || (uuid !== undefined && uuid === fault.uuid);
      if (uuid !== undefined) return uuid === fault.uuid;
      const seen = this.#options.watch.latest()?.cards.find((card) => card.uuid === fault.uuid);
      return seen !== undefined && (samePlace(pci, seen.pci) || (pci === undefined && index === seen.index));
    });
  }

  #lose([name]: Device, words: FaultWords): void {
    const cancelReturn = this.#lost.get(name);
    cancelReturn?.();
    const known = cancelReturn !== undefined;
    this.#lost.set(name, () => {});
    if (known) return;
    const { keepers, replanning } = this.#options;
    replanning.markLost(name);
    const failure: EngineFailure = {
      code: "gpu.lost",
      message: words.message,
      hint: words.hint,
      recoverable: false,
    };
    for (const keeper of keepers()) {
      const { devices } = keeper.engine?.service ?? keeper.service;
      if (devices.includes(name)) keeper.send({ kind: "doomed", failure });
    }
    void this.#replan(name, { lost: name }, `${name} is lost`);
  }

  #return([name]: Device): void {
    if (!this.#lost.has(name)) return;
    const { clock, coolDown, events } = this.#options;
    this.#lost.get(name)?.();
    events.record({
      kind: "gpu.cool-down",
      severity: "info",
      message: `${name} gets its services back when it has been well for ${formatDuration(coolDown)}.`,
    });
    const cancel = clock.after(coolDown, () => {
      this.#lost.delete(name);
      void this.#replan(name, { back: name }, `${name} is back`);
    });
    this.#lost.set(name, cancel);
  }

  async #replan(
    device: string,
    change: { readonly lost?: string; readonly back?: string },
    why: string,
  ): Promise<void> {
    const { replanning, keepers, events } = this.#options;
    const plan = await replanning.devicesChanged(change, why);
    if (plan === undefined) {
      if (change.back !== undefined) this.#startAgain(device);
      return;
    }
    // Whoever still ends has no place either: the plan tells, not the state.
    const placed = new Set(plan.services.map(({ name }) => name));
    const down = [...keepers()].filter(({ name, leavesForGood }) => !placed.has(name) && !leavesForGood);
    const without =
      down.length === 0 ? "" : ` Without a place for now: ${down.map(({ name }) => name).join(", ")}.`;
    events.record({
      kind: "node.replanned",
      severity: down.length === 0 ? "info" : "warning",
      message: `${why}: the node was planned again.${without}`,
      data: { ...change },
    });
  }

  /** Without a planner, what ran on the card starts on it again. */
  #startAgain(device: string): void {
    for (const keeper of this.#options.keepers())
      if (keeper.service.devices.includes(device) && keeper.state.failure?.code === "gpu.lost")
        keeper.send({ kind: "start", why: `${device} is back.`, anew: true });
  }

  /** The driver names the process whose fault it was: its context on the card is lost, whether it has noticed or not. */
  async #restartCulprit(pid: number, [name]: Device, words: FaultWords): Promise<void> {
    for (const keeper of this.#options.keepers()) {
      const { engine } = keeper;
      if (engine === undefined || !(await engine.unit.processes()).includes(pid)) continue;
      const { generation } = keeper.state;
      const message = `It caused a fault of ${name}: ${words.message}`;
      const hint = CODES["engine.card-fault"].remedy;
      keeper.send({
        kind: "fault",
        generation,
        failure: { code: "engine.card-fault", message, hint, recoverable: true },
      });
    }
  }
}

/** What the card needs before anybody can use it again. */
const LOST: ReadonlySet<string> = new Set(["reset-card", "drain-and-reset", "restart-node"]);

/** `0000:f1:00.0` and `f1:00` are one place: the domain may be left out, and so may the function. */
function samePlace(one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  return place(one) === place(other);
}

function place(pci: string): string {
  const [slot = ""] = pci.toLowerCase().split(".");
  const parts = slot.split(":");
  const [domain, bus = "", device = ""] = parts.length > 2 ? parts : ["0", ...parts];
  return [domain ?? "0", bus, device].map((part) => Number.parseInt(part, 16)).join(":");
}
