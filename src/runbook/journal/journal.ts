import { OmniError } from "../../core/index.ts";
import type { RunbookBook } from "../../store/index.ts";
import { boundedText } from "./bounded-text.ts";
import type { Entry } from "./entry.ts";
import type { Redactor } from "./redactor.ts";

/** Characters of one command's two outputs, and of any other text. */
const MOST_OUTPUT = 64 * 1024;
const MOST_TEXT = 8 * 1024;
/** Characters of all outputs of a run; after it each command keeps its last words only. */
const MOST_OF_RUN = 8 * 1024 * 1024;
const LAST_WORDS = 1024;

/** Where a run writes down what it does. */
export interface Journal {
  /** On the disk when it returns, without secrets. Throws `OmniError` `runbook.journal`. */
  write(entry: Entry): void;
}

/** The journal of a run in the store's book. */
export function openJournal(book: RunbookBook, run: number, redactor: Redactor): Journal {
  let kept = 0;
  return {
    write: (given) => {
      const bounded = given.kind === "command" ? boundOutput(given, kept, redactor) : given;
      if (bounded.kind === "command") kept += bounded.stdout.length + bounded.stderr.length;
      const { kind, step, ...data } = { step: undefined, ...bounded };
      const json = cleanJson(data, redactor);
      book.write(run, { time: Date.now(), kind, data: json, ...(step === undefined ? {} : { step }) });
    },
  };
}

type CommandEntry = Extract<Entry, { kind: "command" }>;

/** Secrets go before anything is cut, so that no half of one stays. */
function boundOutput(entry: CommandEntry, kept: number, redactor: Redactor): CommandEntry {
  const most = kept >= MOST_OF_RUN ? LAST_WORDS : MOST_OUTPUT;
  const [stdout, stderr] = [redactor.text(entry.stdout), redactor.text(entry.stderr)];
  // What one stream does not need is the other's.
  const forErrors = Math.max(most / 2, most - stdout.length);
  const errors = boundedText(stderr, forErrors);
  return { ...entry, stdout: boundedText(stdout, Math.max(most / 2, most - errors.length)), stderr: errors };
}

/** JSON without secrets, each text of it bounded. */
const cleanJson = (data: object, redactor: Redactor): string =>
  JSON.stringify(data, (key, value: unknown) => {
    if (key === "argv" && Array.isArray(value)) return redactor.argv(value.map(String));
    if (typeof value !== "string" || key === "stdout" || key === "stderr") return value;
    return boundedText(redactor.text(value), MOST_TEXT);
  });

/** Whether something was not done because it could not be written down. */
export const isJournal = (thrown: unknown): boolean =>
  thrown instanceof OmniError && thrown.code === "runbook.journal";
