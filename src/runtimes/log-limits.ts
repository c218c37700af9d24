/** Bounds on what an engine's output takes on disk: `fileBytes` × (`keep` + 1), and what it writes between two looks. */
export interface LogLimits {
  /** Bytes of one file before it is rotated. */
  readonly fileBytes: number;
  /** Files kept beside the current one: `.1` is the newest. */
  readonly keep: number;
}

export const LOG_LIMITS: LogLimits = { fileBytes: 4 * 2 ** 20, keep: 3 };
