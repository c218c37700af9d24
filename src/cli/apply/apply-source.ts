import { hostname, userInfo } from "node:os";
import { EXIT, formatDuration, OmniError } from "../../core/index.ts";
import type { ExitCode } from "../../core/index.ts";
import {
  exitCodeOf,
  openJournal,
  openSteps,
  readEntries,
  recall,
  runRunbook,
  surveyRunbook,
} from "../../runbook/index.ts";
import type { Memory, Redactor, RunbookRun, RunResult, Survey } from "../../runbook/index.ts";
import { lockRunbook, openRunbookBook, readRunbook } from "../../store/index.ts";
import type { JournaledRun, RunbookBook } from "../../store/index.ts";
import type { Terminal } from "../terminal.ts";
import type { ApplyOptions } from "./apply-options.ts";
import { askOn, consentsOf } from "./consents.ts";
import type { Consents } from "./consents.ts";
import { onInterrupt } from "./interruption.ts";
import { liveView } from "./live-view.ts";
import { resultLines } from "./result-view.ts";
import type { RunbookSource } from "./runbook-source.ts";
import { surveyLines } from "./survey-view.ts";

export interface ApplyInput {
  readonly source: RunbookSource;
  /** Name of the spec: one run of it at a time. */
  readonly name: string;
  readonly stateFolder: string;
  readonly redactor: Redactor;
  readonly options: ApplyOptions;
  readonly terminal: Terminal;
}

interface Applying extends ApplyInput {
  readonly memory: Memory;
  readonly signal: AbortSignal;
}

/**
 * Shows the plan of steps, asks, and carries it out. Throws OmniError `runbook.running` where another process does so
 * already, `runbook.declined` where nobody says yes, `runbook.no-run` for --resume without a run to go on with.
 */
export async function applySource(input: ApplyInput): Promise<ExitCode> {
  const interruption = onInterrupt();
  try {
    return input.options.dryRun
      ? await dryRun(input, interruption.signal)
      : await underLock(input, interruption.signal);
  } finally {
    interruption.end();
  }
}

/** Looks, shows and changes nothing, not even the journal. */
async function dryRun(input: ApplyInput, signal: AbortSignal): Promise<ExitCode> {
  const memory = recall(readRunbook(input.stateFolder, input.name));
  await surveyed({ ...input, memory, signal });
  return EXIT.done;
}

async function underLock(input: ApplyInput, signal: AbortSignal): Promise<ExitCode> {
  const { stateFolder, name } = input;
  const unlock = lockRunbook(stateFolder, name);
  if (unlock === undefined) throw alreadyRunning(input);
  try {
    const book = openRunbookBook(stateFolder);
    try {
      if (book.damaged !== undefined) {
        const { movedTo, reason } = book.damaged;
        input.terminal.err(`The journal was damaged (${reason}) and begun anew; the old one is ${movedTo}.`);
      }
      return await applyWith(book, input, signal);
    } finally {
      book.close();
    }
  } finally {
    unlock();
  }
}

/** Who holds the lock, since when, and what it does just now. */
function alreadyRunning({ stateFolder, name }: ApplyInput): OmniError {
  const last = readRunbook(stateFolder, name).at(-1);
  if (last === undefined || last.run.ended !== undefined)
    return new OmniError("runbook.running", `Another process is about to apply ${name}.`);
  const { by, pid, begun } = last.run;
  const doing = [...openSteps(readEntries(last.entries))].map(([step, inside]) =>
    inside === undefined ? step : `${step} (${inside})`,
  );
  const now = doing.length === 0 ? "between two steps" : doing.join(", ");
  return new OmniError(
    "runbook.running",
    `${by} applies ${name} with process ${pid} for ${formatDuration(Date.now() - begun)}; it is at: ${now}.`,
  );
}

async function applyWith(book: RunbookBook, input: ApplyInput, signal: AbortSignal): Promise<ExitCode> {
  const { options, terminal, name } = input;
  const runs = book.runs(name).map((run) => ({ run, entries: book.entries(run.id) }));
  const memory = recall(runs);
  if (options.resume && !memory.unfinished)
    throw new OmniError("runbook.no-run", `No run of ${name} was begun and not finished.`);
  tellCutOff(memory, terminal);
  const by = `${userInfo().username}@${hostname()}`;
  const applying = { ...input, memory, signal };
  const survey = await surveyed(applying);
  const ask = options.json ? undefined : askOn(terminal);
  const consents = consentsOf(options.consents, by, ask, signal);
  for (const { consent } of survey.steps) if (consent !== undefined) await consents.ask(consent);
  if (!options.yes && left(survey)) {
    const answer = ask === undefined ? "" : await ask("Apply this? Type yes: ", signal);
    if (answer !== "yes") throw new OmniError("runbook.declined", "Nothing was done.");
  }
  endKilled(book, runs);
  const result = await runIt(applying, book, { by, consents });
  for (const token of consents.unused())
    terminal.err(`--consent ${token}: no step asked for it in this run.`);
  return exitCodeOf(result);
}

/** Whether anything would be done at all. */
const left = ({ steps }: Survey): boolean =>
  steps.some(({ part, found }) => part === "do" && found.kind !== "there");

function tellCutOff({ cutOff }: Memory, terminal: Terminal): void {
  if (cutOff === undefined) return;
  const at = [...cutOff.at].map(([step, inside]) => (inside === undefined ? step : `${step} (${inside})`));
  const where = at.length === 0 ? "between two steps" : `at ${at.join(", ")}`;
  terminal.err(
    `The run of ${cutOff.run.by} that began at ${new Date(cutOff.run.begun).toISOString()} was cut off ${where}; this one goes on from there.`,
  );
}

/** Runs without an end whose process is gone: this process has the lock. */
function endKilled(book: RunbookBook, runs: readonly JournaledRun[]): void {
  for (const { run, entries } of runs)
    if (run.ended === undefined) book.end(run.id, entries.at(-1)?.time ?? run.begun, "killed");
}

async function surveyed(input: Applying): Promise<Survey> {
  const { options, terminal } = input;
  const survey = await surveyRunbook({ ...runnerParts(input), tell: () => undefined });
  if (options.json) terminal.out(JSON.stringify({ kind: "survey", ...survey }));
  else for (const line of surveyLines(survey, terminal)) terminal.out(line);
  return survey;
}

const runnerParts = ({
  source,
  redactor,
  memory,
  options,
  signal,
}: Applying): Omit<RunbookRun, "journal" | "tell" | "agreed"> => ({
  make: (exclusions) => source.make(exclusions),
  order: source.order,
  host: (name) => source.host(name),
  redactor,
  memory,
  signal,
  selection: options.selection,
  retryFallbacks: options.retryFallbacks,
});

async function runIt(
  input: Applying,
  book: RunbookBook,
  { by, consents }: { readonly by: string; readonly consents: Consents },
): Promise<RunResult> {
  const { options, terminal, redactor, name } = input;
  const run = book.begin({ spec: name, pid: process.pid, by, begun: Date.now() });
  const view = options.json ? undefined : liveView(terminal, (text) => process.stdout.write(text));
  let asking: Promise<void> = Promise.resolve();
  try {
    const result = await runRunbook({
      ...runnerParts(input),
      journal: openJournal(book, run.id, redactor),
      tell: (event) => (view === undefined ? terminal.out(JSON.stringify(event)) : view.tell(event)),
      agreed: async (_step, consent) => {
        // One question at a time.
        asking = asking.then(() => view?.around(() => consents.ask(consent)));
        await asking;
        return consents.given(consent);
      },
    });
    book.end(run.id, Date.now(), result.outcome);
    view?.end();
    if (options.json) terminal.out(JSON.stringify({ kind: "result", ...result }));
    else for (const line of resultLines(result, terminal)) terminal.out(line);
    return result;
  } finally {
    view?.end();
  }
}
