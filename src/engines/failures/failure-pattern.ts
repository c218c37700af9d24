import type { Code } from "../../core/index.ts";

/** One way in which engines fail, as it reads in a line that they write. */
export interface FailurePattern {
  readonly line: RegExp;
  readonly code: Code;
  /** Sentence for the owner with the numbers of the line: `$1` is its first group, `$&` all that matched. */
  readonly message: string;
  /** What to do, in the same form; the code's own remedy when absent. */
  readonly hint?: string;
  /** False when the same start can only fail again. */
  readonly recoverable: boolean;
  /** What such a line means while the process lives and may still answer; absent where it tells nothing then. */
  readonly serving?: Code;
  /** It goes on serving after such a line. */
  readonly goesOn?: true;
  /** Group that holds the tokens which the engine says would fit. */
  readonly fittingTokens?: number;
}

/** What Omni knows about the last words of a kind of engine. The first pattern that any line matches decides. */
export interface FailureReading {
  /** The engine's own name, as a sentence begins. */
  readonly title: string;
  readonly patterns: readonly FailurePattern[];
  /** A line by which the engine takes back what it said before: it tried again otherwise, and went on. */
  readonly takesBack?: RegExp;
  /** Lines that repeat what a client wrote, which may read like anything. */
  readonly echo?: RegExp;
}
