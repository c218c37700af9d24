import type { Board } from "../simulation/index.ts";
import type { ServiceView } from "../supervisor/backends.ts";
import type { NodeApi } from "./node-api.ts";

/** A node that chaos has started itself: it may be killed, and its clock and disk be played with. */
export interface OwnNode {
  readonly pid: number;
  /** Kills Omni itself without a word and starts it again; engines are left alone. */
  killAndRestart(): Promise<void>;
  /** Sets the clock that Omni sees forward or back by so many ms; absent where it was started without. */
  skewClock(by: number): void;
  /** Fills the disk of its state folder; the returned function frees it. `undefined` where that takes rights we lack. */
  fillDisk(): Promise<(() => Promise<void>) | undefined>;
}

/** What a scenario has at hand. */
export interface Stage {
  readonly node: NodeApi;
  /** The service that is struck. */
  readonly victim: ServiceView;
  /** Cards of a simulated node. */
  readonly board?: Board;
  readonly own?: OwnNode;
}

/** A fault that cannot be done here, which says nothing about the node: told as skipped, with its reason. */
export class CannotStrike extends Error {
  override readonly name = "CannotStrike";
}

/** What a scenario cannot do without. */
export type Need =
  /** Engines of ours are simulated and take orders. */
  | "simulated"
  /** The victim is on a simulated card. */
  | "card"
  /** The victim's engine is a process of this machine. */
  | "process"
  /** The victim listens on a TCP port of this machine. */
  | "port"
  | "own-node";

/** A fault as data: what is done, and by which events Omni shows that it has seen it. */
export interface Scenario {
  readonly name: string;
  readonly about: string;
  readonly needs: readonly Need[];
  /**
   * Kinds of events that count as detection; any warning or error about the victim when absent. Empty where there is nothing
   * to be noticed.
   */
  readonly detectedBy?: readonly string[];
  /**
   * What the end of the trouble is: the victim is ready again after it was not (`restart`, the default), it never stopped
   * answering (`rides-out`), or it steps down and up again (`ladder`).
   */
  readonly ends?: "restart" | "rides-out" | "ladder";
  /** Omni itself is away for a while: nobody answers then, and clients are refused. */
  readonly omniDies?: true;
  /** Does it; the returned function undoes what does not end by itself, and is called once it was detected. */
  strike(stage: Stage): Promise<(() => Promise<void> | void) | undefined>;
}
