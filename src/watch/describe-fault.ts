import { XIDS } from "../catalog/index.ts";
import type { XidRemedy } from "../catalog/xids.ts";
import type { CardFault, CardReading } from "./reading.ts";

/** What the owner has to do about a fault. */
export interface Recovery {
  /** `none`: nothing; `watch`: nothing now, but look whether it comes back. */
  readonly action:
    | "none"
    | "watch"
    | "restart-app"
    | "drain"
    | "reset-card"
    | "drain-and-reset"
    | "restart-node";
  /** One sentence for a person. */
  readonly advice: string;
  readonly by: "driver" | "catalog";
}

type Action = Recovery["action"];

const ADVICE: Readonly<Record<Action, string>> = {
  none: "Nothing has to be done: it records a repair, or follows another fault.",
  watch:
    "Nothing is known to be needed; if it comes back, look at the card, its power and its slot, and report it with nvidia-bug-report.sh.",
  "restart-app":
    "The engine that caused it has to be restarted, which Omni does; if it comes back, look for a newer engine or driver.",
  drain:
    "Stop the engines that use this card together with others (peer to peer); then the driver can restore the links.",
  "reset-card":
    "Stop everything that uses the card, then reset it: nvidia-smi --gpu-reset -i <card>; if that is refused, restart the machine.",
  "drain-and-reset":
    "Stop everything that uses the card or the cards linked with it, then reset it: nvidia-smi --gpu-reset -i <card>.",
  "restart-node":
    "The machine has to be restarted, best with the power off for a moment; if the card falls off again, check its power cables, its seat or riser, and its temperature.",
};

/** Codes that ask for nothing by themselves. Source: docs.nvidia.com/deploy/xid-errors. */
const SILENT: ReadonlySet<number> = new Set([43, 45, 63, 92, 137]);

const OF_REMEDY: Readonly<Record<XidRemedy, Action>> = {
  "restart-node": "restart-node",
  "reset-card": "reset-card",
  "restart-app": "restart-app",
};

/** Xid 154: the driver's own word on what it takes. */
const RECOVERY_CHANGED = 154;

/**
 * What an Xid asks the owner to do: the driver's own words first, which Xid 154 carries (`… changed from 0x0 (None) to
 * 0x2 (Node Reboot Required)`), then NVIDIA's catalog. Source: docs.nvidia.com/deploy/xid-errors.
 */
export function recoveryFor(xid: number, text = ""): Recovery {
  if (xid === RECOVERY_CHANGED) {
    const action = inWords(
      /\bto\s+(?:0x[0-9a-f]+\s+)?\(?([a-z0-9 ]+?)\)?\s*$/i.exec(text.trim())?.[1] ?? text,
    );
    return { action, advice: ADVICE[action], by: "driver" };
  }
  const remedy = (["restart-node", "reset-card", "restart-app"] as const).find((name) =>
    XIDS[name].includes(xid),
  );
  const action = remedy === undefined ? (SILENT.has(xid) ? "none" : "watch") : OF_REMEDY[remedy];
  return { action, advice: ADVICE[action], by: "catalog" };
}

/** Longest words first: `Drain and Reset` holds `Reset`. */
function inWords(words: string): Action {
  if (/drain\s+and\s+reset/i.test(words)) return "drain-and-reset";
  if (/reboot/i.test(words)) return "restart-node";
  if (/reset/i.test(words)) return "reset-card";
  if (/drain/i.test(words)) return "drain";
  return /none/i.test(words) ? "none" : "watch";
}

/** What NVML's recovery action of a reading asks for. */
const OF_READING: Readonly<Record<NonNullable<CardReading["recovery"]>, Action>> = {
  reset: "reset-card",
  reboot: "restart-node",
  drain: "drain",
  "drain-and-reset": "drain-and-reset",
};

/** A fault as an event tells it. */
export interface FaultWords {
  readonly code: "gpu.lost" | "gpu.back" | "gpu.xid";
  readonly severity: "info" | "warning" | "error";
  readonly message: string;
  readonly hint: string;
}

const SEVERITIES: Readonly<Record<Action, FaultWords["severity"]>> = {
  none: "info",
  watch: "warning",
  "restart-app": "warning",
  drain: "error",
  "reset-card": "error",
  "drain-and-reset": "error",
  "restart-node": "error",
};

/**
 * A fault in words for the owner: what happened, and what to do. `cardName` as he knows the card. `card` is its newest
 * reading, where there is one: it tells the last Xid of a lost card and what the driver asks for.
 */
export function describeFault(fault: CardFault, cardName: string, card?: CardReading): FaultWords {
  const asked = card?.recovery === undefined ? undefined : OF_READING[card.recovery];
  switch (fault.kind) {
    case "back":
      return {
        code: "gpu.back",
        severity: "info",
        message: `${cardName} is back: the driver reaches it again.`,
        hint: "Its services move back as the plan says; if it goes again, check its power cables, its seat or riser, and its temperature.",
      };
    case "lost": {
      const xid = card?.lastXid;
      const known = xid === undefined ? undefined : recoveryFor(xid).action;
      const needsReset = /\breset\b/i.test(fault.reason) ? ("reset-card" as const) : undefined;
      const strong = known === "reset-card" || known === "restart-node" ? known : undefined;
      const action = asked ?? needsReset ?? strong ?? "restart-node";
      const after = xid === undefined ? "" : ` Its last fault was Xid ${xid}.`;
      return {
        code: "gpu.lost",
        severity: "error",
        message: `${cardName} is lost: ${sentence(fault.reason)}${after}`,
        hint: forCard(ADVICE[action], fault.uuid),
      };
    }
    case "xid": {
      const named = recoveryFor(fault.xid, fault.text);
      const action = named.by === "driver" ? named.action : (asked ?? named.action);
      const times = fault.count === undefined ? "" : `, ${fault.count} times`;
      const what = fault.text === "" ? "." : `: ${sentence(fault.text)}`;
      return {
        code: "gpu.xid",
        severity: SEVERITIES[action],
        message: `${cardName} (${fault.pci}) reports Xid ${fault.xid}${times}${what}`,
        hint: forCard(ADVICE[action], fault.uuid ?? fault.pci),
      };
    }
  }
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
const forCard = (advice: string, card: string): string => advice.replace("<card>", card);
