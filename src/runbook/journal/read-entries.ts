import type { JournalRow } from "../../store/index.ts";
import type { Entry, TimedEntry } from "./entry.ts";

/** The entries of rows, as `openJournal` wrote them. A row that is none (an entry of a later Omni) is left out. */
export const readEntries = (rows: readonly JournalRow[]): readonly TimedEntry[] =>
  rows.flatMap(({ seq, time, kind, step, data }) => {
    const read: unknown = parsed(data);
    if (typeof read !== "object" || read === null) return [];
    const entry = { ...read, kind, ...(step === undefined ? {} : { step }) };
    return isEntry(entry) ? [{ seq, time, entry }] : [];
  });

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const KINDS: Readonly<Record<Entry["kind"], true>> = {
  plan: true,
  "step-begun": true,
  verified: true,
  drift: true,
  "effect-begun": true,
  "effect-done": true,
  "command-begun": true,
  command: true,
  "attempt-failed": true,
  failed: true,
  refused: true,
  unconsented: true,
  consent: true,
  skipped: true,
  "not-executed": true,
  cancelled: true,
  fallback: true,
  note: true,
};

/** The table is Omni's own: what carries a kind of its was written by `openJournal`. */
const isEntry = (read: { readonly kind: string }): read is Entry => Object.hasOwn(KINDS, read.kind);
