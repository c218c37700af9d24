import type { Fault } from "../faults/fault.ts";
import type { BoardCard } from "./board-card.ts";
import type { CardState } from "./card-state.ts";
import type { MemoryTerm } from "./holdings.ts";

/** Who holds how much of a card. */
export interface CardHolder {
  readonly pid: number;
  readonly name: string;
  readonly bytes: number;
}

/**
 * Simulated cards in plain files of a folder, so that every process that opens it sees the same. Memory is held by
 * processes and is free again when they are gone. Bytes; unknown UUIDs throw OmniError `simulation.no-card`.
 * `cpu` stands for main memory where memory is held, used or free.
 */
export interface Board {
  readonly folder: string;
  readonly cards: readonly BoardCard[];
  /** Program that answers for these cards as nvidia-smi does. */
  readonly nvidiaSmi: string;
  /** File in the form of `/dev/kmsg` to which Xids are appended. */
  readonly kernelLog: string;
  /** Takes memory for this process under a name; false, and nothing taken, when not so much is free or the card is lost. */
  hold(uuid: string, bytes: number, as?: { readonly term?: MemoryTerm; readonly name?: string }): boolean;
  /** Gives back what this process holds: of one card or all, of one term or all. */
  release(uuid?: string, term?: MemoryTerm): void;
  /** Another program takes memory, as much as is asked for but no more than is free. Returns what it took. */
  steal(uuid: string, bytes: number, name?: string): number;
  /** All that was stolen of the card is free again. */
  giveBack(uuid: string): void;
  /** The card falls off the bus, with Xid 79 unless another is given. */
  lose(uuid: string, xid?: number): void;
  restore(uuid: string): void;
  /** Sets its temperature, degrees Celsius; without one it follows its load again. */
  overheat(uuid: string, celsius?: number): void;
  /** The driver reports an Xid, and the card goes on. */
  xid(uuid: string, code: number, pid?: number): void;
  used(uuid: string): number;
  free(uuid: string): number;
  holders(uuid: string): readonly CardHolder[];
  state(uuid: string): CardState;
  /** The next `count` (1) starts of a service are faulty. */
  plant(service: string, fault: Fault, count?: number): void;
}
