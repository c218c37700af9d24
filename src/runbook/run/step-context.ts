import { messageOf, OmniError } from "../../core/index.ts";
import type { CommandResult, HostCommand, HostTransport } from "../../host/transport/transport.ts";
import type { Entry } from "../journal/entry.ts";
import { isJournal } from "../journal/journal.ts";
import type { Journal } from "../journal/journal.ts";
import type { Redactor } from "../journal/redactor.ts";
import type { StepContext } from "../step.ts";
import type { RunEvent } from "./run-event.ts";

/** What every step of a run shares. */
export interface ContextParts {
  readonly journal: Journal;
  readonly redactor: Redactor;
  readonly host: (name?: string) => Promise<HostTransport>;
  readonly tell: (event: RunEvent) => void;
}

/** Characters of a command's last words in an error. */
const LAST_WORDS = 400;

type Ended = Extract<CommandResult, { ended: true }>;

/** What a step does its work with: everything that changes something is journaled before and after. */
export function stepContext(step: string, parts: ContextParts, signal: AbortSignal): StepContext {
  const { journal, redactor, tell } = parts;
  let commands = 0;
  return {
    signal,
    host: parts.host,
    look: (host, command) => host.run({ ...command, signal }),
    run: (host, command, accept = [0]) =>
      runCommand(parts, { step, command: ++commands, host: host.name, argv: command.argv }, () =>
        host.run({ ...command, signal }),
      ).then((result) => accepted(result, { parts, host, command, accept, signal })),
    effect: async (id, there, act) => {
      // Also where no earlier run is known: a journal can be lost, and doing it twice cannot be taken back.
      if (await there()) {
        journal.write({ kind: "effect-done", step, effect: id, found: true });
        return;
      }
      signal.throwIfAborted();
      journal.write({ kind: "effect-begun", step, effect: id });
      await act();
      journal.write({ kind: "effect-done", step, effect: id, found: false });
    },
    progress: (progress) => {
      const { text, ...counted } = progress;
      const shown = text === undefined ? counted : { ...counted, text: redactor.text(text) };
      tell({ kind: "progress", step, progress: shown });
    },
    note: (text) => {
      journal.write({ kind: "note", step, text });
      tell({ kind: "note", step, text: redactor.text(text) });
    },
    hide: (secret) => redactor.hide(secret),
  };
}

/** Runs it between two entries of the journal. */
async function runCommand(
  { journal }: ContextParts,
  about: Omit<Extract<Entry, { kind: "command-begun" }>, "kind">,
  run: () => Promise<CommandResult>,
): Promise<CommandResult> {
  journal.write({ kind: "command-begun", ...about });
  const began = performance.now();
  try {
    const result = await run();
    const { stdout, stderr, duration } = result;
    const ended = result.ended ? result.code : `${result.why}: ${result.message}`;
    journal.write({ kind: "command", ...about, ended, stdout, stderr, duration });
    return result;
  } catch (thrown) {
    if (isJournal(thrown)) throw thrown;
    const duration = performance.now() - began;
    journal.write({ kind: "command", ...about, ended: messageOf(thrown), stdout: "", stderr: "", duration });
    throw thrown;
  }
}

interface Accepting {
  readonly parts: ContextParts;
  readonly host: HostTransport;
  readonly command: Omit<HostCommand, "signal">;
  readonly accept: readonly number[];
  readonly signal: AbortSignal;
}

/** The result, where it is one that the step takes. Throws `host.command-failed` with the last words, without secrets. */
function accepted(result: CommandResult, { parts, host, command, accept, signal }: Accepting): Ended {
  signal.throwIfAborted();
  if (result.ended && accept.includes(result.code)) return result;
  const { redactor } = parts;
  const said = result.stderr.trim() === "" ? result.stdout : result.stderr;
  const words = redactor.text(said.trim()).slice(-LAST_WORDS);
  const how = result.ended ? `ended with exit status ${result.code}` : redactor.text(result.message);
  throw new OmniError(
    "host.command-failed",
    `${redactor.argv(command.argv).join(" ")} on ${host.name}: ${how}${words === "" ? "" : `: ${words}`}`,
  );
}
