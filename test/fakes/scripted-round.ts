/** What the scripted engine does in one round. */
export interface ScriptedRound {
  readonly text?: string;
  readonly reasoning?: string;
  readonly calls?: readonly { readonly id?: string; readonly name: string; readonly arguments: string }[];
  /** `length` ends it early. */
  readonly finish?: string;
  /** Answers with this error instead. */
  readonly status?: number;
  /** Milliseconds before anything is said, and between two events. */
  readonly delay?: number;
  readonly gap?: number;
  /** Ends the stream after so many events. */
  readonly cutAfter?: number;
}
