/** One call of a tool, or one reading, as it is kept. */
export interface AuditRow {
  /** Grows by one with each. */
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly request: string;
  readonly key: string;
  readonly channel: string;
  readonly server: string;
  readonly method: string;
  readonly name: string;
  readonly shape: string;
  readonly argumentBytes: number;
  readonly resultBytes: number;
  readonly outcome: string;
  readonly code?: string;
  /** Milliseconds. */
  readonly duration: number;
  readonly approvedBy?: string;
  readonly contents?: { readonly arguments: string; readonly result: string };
}

export interface AuditFilter {
  readonly limit: number;
  /** Rows before this `seq`. */
  readonly before?: number;
  readonly key?: string;
  readonly server?: string;
  readonly outcome?: string;
}
