import type { Code } from "./codes.ts";
import { CODES } from "./codes.ts";
import type { Diagnostic } from "./diagnostic.ts";

/** What a command's exit code means to a script. */
export const EXIT = { done: 0, failed: 1, input: 2, refused: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

interface Details {
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  /** Findings that together make up this error, when there is more than one. */
  readonly diagnostics?: readonly Diagnostic[];
}

/** The only error that Omni throws on purpose: a registered code, a message for a person, and a remedy. */
export class OmniError extends Error {
  override readonly name = "OmniError";
  readonly code: Code;
  readonly hint: string;
  readonly diagnostics: readonly Diagnostic[];

  constructor(code: Code, message: string, details: Details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint ?? CODES[code].remedy;
    this.diagnostics = details.diagnostics ?? [];
  }

  get exitCode(): ExitCode {
    return CODES[this.code].exit;
  }

  toDiagnostic(): Diagnostic {
    return { code: this.code, severity: "error", message: this.message, hint: this.hint };
  }
}

/** The message of anything that was thrown. */
export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown);
