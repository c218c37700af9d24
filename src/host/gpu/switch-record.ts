import type { HostCards } from "./card-facts.ts";

/** What a PCI function is bound to and kept for; empty for nothing. */
export interface FunctionState {
  readonly address: string;
  readonly driver: string;
  readonly override: string;
}

/** A switch as it was written down. */
export interface SwitchRecord {
  readonly id: number;
  readonly action: string;
  /** Milliseconds since the epoch. */
  readonly begun: number;
  readonly before: readonly FunctionState[];
  /** Absent while it runs, and for ever where it was cut off. */
  readonly ended?: number;
  readonly outcome?: string;
  readonly after?: readonly FunctionState[];
  /** Its functions are back where they were. */
  readonly undone?: number;
}

/** Where switches are written down, before the first function moves and after the last. */
export interface SwitchBook {
  /** Newest first. Those of an earlier boot do not count: nothing in sysfs outlives it. */
  of(host: string, boot: string): readonly SwitchRecord[];
  /** `undefined` where an earlier one has not ended. */
  begin(begun: {
    readonly host: string;
    readonly boot: string;
    readonly action: string;
    readonly before: readonly FunctionState[];
  }): number | undefined;
  end(id: number, outcome: string, after: readonly FunctionState[]): void;
  undo(id: number): void;
}

/** The switch that was cut off, newest first. */
export const openSwitch = (records: readonly SwitchRecord[]): SwitchRecord | undefined =>
  records.find(({ ended, undone }) => ended === undefined && undone === undefined);

/** The last switch that moved something, or may have, and has not been undone. */
export const lastSwitch = (records: readonly SwitchRecord[]): SwitchRecord | undefined =>
  records.find(
    ({ action, outcome, before, after, undone }) =>
      action !== "restore" &&
      outcome !== "refused" &&
      undone === undefined &&
      (after === undefined || !sameStates(before, after)),
  );

/** States of all functions that are there. */
export const statesOf = ({ cards }: HostCards): readonly FunctionState[] =>
  cards.flatMap(({ functions }) =>
    functions
      .filter(({ present }) => present)
      .map(({ address, driver, override }) => ({ address, driver, override })),
  );

/** Every function of the first is in the second just so. */
export const sameStates = (wanted: readonly FunctionState[], found: readonly FunctionState[]): boolean =>
  wanted.every(({ address, driver, override }) =>
    found.some((one) => one.address === address && one.driver === driver && one.override === override),
  );
