import type { CardFault } from "./reading.ts";

type Xid = Extract<CardFault, { kind: "xid" }>;
/** Who told of it: the same Xid comes from the driver's event and from the kernel's log. */
type Teller = "nvml" | "kernel";

interface Open {
  readonly since: number;
  readonly seen: Readonly<Record<Teller, number>>;
  readonly told: number;
  readonly latest: Xid;
}

/** Cards and codes that are counted at once; a broken driver could name any number. */
const MOST_OPEN = 256;

/**
 * Lets one fault a card and code through, then counts for `window` ms what comes of it and tells that together. What
 * two tellers both saw counts once. Times are of a clock that never jumps.
 */
export class FaultGate {
  readonly #window: number;
  readonly #open = new Map<string, Open>();

  constructor(window: number) {
    this.#window = window;
  }

  /** The fault to tell now, if any. `count` of them were seen. */
  offer(fault: Xid, teller: Teller, count: number, now: number): Xid | undefined {
    const key = `${fault.pci} ${fault.xid}`;
    const open = this.#open.get(key);
    const seen = { nvml: 0, kernel: 0, ...open?.seen };
    seen[teller] += count;
    if (open !== undefined) {
      const latest =
        teller === "kernel" || open.latest.text === "" ? { ...open.latest, ...fault } : open.latest;
      this.#open.set(key, { ...open, seen, latest });
      return undefined;
    }
    if (this.#open.size >= MOST_OPEN) {
      const [oldest] = this.#open.keys();
      if (oldest !== undefined) this.#open.delete(oldest);
    }
    this.#open.set(key, { since: now, seen, told: count, latest: fault });
    return counted(fault, count);
  }

  /** What was counted in windows that are over. To be called now and then. */
  flush(now: number): Xid[] {
    const due: Xid[] = [];
    for (const [key, open] of this.#open) {
      if (now - open.since < this.#window) continue;
      const more = Math.max(open.seen.nvml, open.seen.kernel) - open.told;
      this.#open.delete(key);
      if (more <= 0) continue;
      due.push(counted(open.latest, more));
      this.#open.set(key, { since: now, seen: { nvml: 0, kernel: 0 }, told: 0, latest: open.latest });
    }
    return due;
  }
}

const counted = (fault: Xid, count: number): Xid => {
  const { count: _, ...rest } = fault;
  return count > 1 ? { ...rest, count } : rest;
};
