import type { CardReading } from "./reading.ts";

/** What a source read of one card at one moment; its place in the order and its history are the book's to add. */
export interface CardSample extends Omit<CardReading, "index" | "lost" | "lastXid" | "asOf"> {}

/** With the moment at which it was read, on a clock that never jumps: sources tell the same sample more than once. */
export interface SeenCard extends CardSample {
  readonly at: number;
}

/** A card that a source knows of and cannot reach. It may only know one of its names. */
export interface LostCard {
  readonly uuid?: string;
  readonly pci?: string;
  readonly reason: string;
}

/** What a source saw when it was asked. */
export interface CardLook {
  readonly cards: readonly SeenCard[];
  readonly lost: readonly LostCard[];
  /** Every card of the machine is in `cards` or `lost`: one that is in neither is not there. */
  readonly complete: boolean;
  /** Why `cards` is not what it should be, a sentence for a person. */
  readonly problem?: string;
}

/** An Xid that the driver told without the kernel's log. `count` of them since the last was told. */
export interface XidNotice {
  readonly uuid?: string;
  readonly pci?: string;
  readonly xid: number;
  readonly count: number;
}

/** One way of reading the cards. */
export interface CardSource {
  readonly name: "nvml" | "nvidia-smi";
  /** The cards as they are; `fresh` begins now, whatever it costs, and carries holders. Rejects never, and ends in bounded time. */
  look(fresh: boolean): Promise<CardLook>;
  /** Why it works worse than it should, now; `undefined` when all is well. */
  problem(): string | undefined;
  close(): Promise<void>;
}

export const NO_CARDS: CardLook = { cards: [], lost: [], complete: false };
