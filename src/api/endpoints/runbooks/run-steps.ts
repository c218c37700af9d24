import { stepRecords } from "../../../runbook/index.ts";
import type { Entry, TimedEntry } from "../../../runbook/index.ts";
import type { Answer } from "../../contract/index.ts";

type Detail = Answer<"GET /api/runbooks/{spec}/{run}">;
type Step = Detail["steps"][number];
type Command = Step["commands"][number];

/** Commands of one step that are shown, the newest. */
const MOST_COMMANDS = 100;

/** The steps of a run in the order of its plan, from its journal, with what proves each, and the run's own notes. */
export function runSteps(entries: readonly TimedEntry[]): Pick<Detail, "steps" | "notes"> {
  const byStep = Map.groupBy(entries, ({ entry }) => ("step" in entry ? entry.step : undefined));
  const steps = stepRecords(entries).map((record): Step => {
    const { planned, state, evidence, when, duration } = record;
    const own = byStep.get(planned.id) ?? [];
    return {
      ...planned,
      state,
      evidence,
      ...(when === undefined ? {} : { when }),
      ...(duration === undefined ? {} : { duration }),
      commands: commandsOf(own).slice(-MOST_COMMANDS),
      notes: notesOf(own),
    };
  });
  const planned = new Set<string | undefined>(steps.map(({ id }) => id));
  return { steps, notes: [...byStep].flatMap(([id, own]) => (planned.has(id) ? [] : otherNotes(id, own))) };
}

/** Notes of the run as a whole, and of steps that a fallback took out of its plan. */
const otherNotes = (step: string | undefined, entries: readonly TimedEntry[]): readonly string[] =>
  notesOf(entries).map((note) => (step === undefined ? note : `${step}: ${note}`));

/** Each command once: as it ended, or as it was begun where it runs or its process was killed. */
function commandsOf(entries: readonly TimedEntry[]): readonly Command[] {
  const commands = new Map<number, Command>();
  for (const { time, entry } of entries) {
    if (entry.kind === "command-begun") {
      const { host, argv, command } = entry;
      commands.set(command, { host, argv, stdout: "", stderr: "", time });
    } else if (entry.kind === "command") {
      const { host, argv, ended, stdout, stderr, duration, command } = entry;
      commands.set(command, { host, argv, ended, stdout, stderr, duration, time });
    }
  }
  return [...commands.values()];
}

const notesOf = (entries: readonly TimedEntry[]): readonly string[] =>
  entries.flatMap(({ entry }) => noteOf(entry) ?? []);

function noteOf(entry: Entry): string | undefined {
  switch (entry.kind) {
    case "fallback":
      return `${entry.text}, because: ${entry.reason}${entry.carried ? " (taken by an earlier run)" : ""}`;
    case "drift":
      return `It was there at ${new Date(entry.since).toISOString()} and is not any more: ${entry.missing}`;
    case "consent":
      return `${entry.by} agreed (${entry.how}): ${entry.text}`;
    case "attempt-failed":
      return `Attempt ${entry.attempt} failed: ${entry.message}`;
    case "note":
      return entry.text;
    default:
      return undefined;
  }
}
