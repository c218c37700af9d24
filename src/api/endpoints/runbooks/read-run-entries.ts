import { boundedText, readEntries } from "../../../runbook/index.ts";
import type { Entry, TimedEntry } from "../../../runbook/index.ts";
import { readJournalInSlices } from "../../../store/index.ts";

/** Commands whose outputs are kept, the newest, and characters of each output and word. */
const MOST_COMMANDS = 400;
const MOST_OUTPUT = 4000;
const MOST_WORD = 2000;

type CommandEntry = Extract<Entry, { kind: "command" }>;

/**
 * The entries of runs, oldest first. Outputs are cut to their beginning and end, and those of commands long ago left out, so
 * that a journal of any size is little to hold. Rejects with OmniError `store.unwritable`.
 */
export async function readRunEntries(
  stateFolder: string,
  runs: readonly number[],
): Promise<readonly TimedEntry[]> {
  const entries: TimedEntry[] = [];
  const commands: number[] = [];
  await readJournalInSlices(stateFolder, runs, (row) => {
    for (const read of readEntries([row])) {
      if (read.entry.kind === "command") commands.push(entries.length);
      entries.push({ ...read, entry: bounded(read.entry) });
    }
    const old = commands.length > MOST_COMMANDS ? commands.shift() : undefined;
    const silent = old === undefined ? undefined : entries[old];
    if (old !== undefined && silent?.entry.kind === "command")
      entries[old] = { ...silent, entry: { ...silent.entry, stdout: "", stderr: "" } };
  });
  return entries;
}

function bounded(entry: Entry): Entry {
  if (entry.kind === "command-begun") return { ...entry, argv: entry.argv.map(word) };
  if (entry.kind !== "command") return entry;
  const cut: CommandEntry = {
    ...entry,
    argv: entry.argv.map(word),
    stdout: boundedText(entry.stdout, MOST_OUTPUT),
    stderr: boundedText(entry.stderr, MOST_OUTPUT),
  };
  return cut;
}

const word = (text: string): string => boundedText(text, MOST_WORD);
