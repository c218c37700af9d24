/** How much tools may do for one request. Times are milliseconds, sizes bytes. */
export interface ToolBounds {
  /** Times that the model is asked. */
  readonly rounds: number;
  readonly calls: number;
  /** Calls at the same time. */
  readonly parallel: number;
  /** From the start of the request: later no call and no round begins, and running calls are ended. */
  readonly time: number;
  /** One call. */
  readonly callTime: number;
  /** Results of all calls, and of one. */
  readonly resultBytes: number;
  readonly callBytes: number;
}

export const TOOL_BOUNDS: ToolBounds = {
  rounds: 16,
  calls: 64,
  parallel: 4,
  time: 600_000,
  callTime: 120_000,
  resultBytes: 1024 * 1024,
  callBytes: 256 * 1024,
};
