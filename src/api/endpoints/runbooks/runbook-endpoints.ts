import type { Call } from "../../../gateway/call.ts";
import type { Endpoint } from "../../../gateway/surface.ts";
import { reportOf } from "../../../runbook/index.ts";
import { isRunbookLocked, readRuns } from "../../../store/index.ts";
import type { RunRow } from "../../../store/index.ts";
import type { Answer } from "../../contract/index.ts";
import { refusing } from "../refusing.ts";
import { segmentsOf } from "../segments.ts";
import { sendAnswer, sendMissing } from "../send-answer.ts";
import { readRunEntries } from "./read-run-entries.ts";
import { runSteps } from "./run-steps.ts";

/** Runs that are listed at most; the journal keeps fifty of each spec. */
const MOST_RUNS = 500;

type Run = Answer<"GET /api/runbooks">["runs"][number];

/** `/api/runbooks`: what was applied with this state folder, by whichever process, read from the journal. */
export const runbookEndpoints = (stateFolder: string): Readonly<Record<string, Endpoint>> => ({
  "/api/runbooks": {
    admin: true,
    GET: (call) =>
      void refusing(call, async () => {
        const runs = readRuns(stateFolder, MOST_RUNS);
        sendAnswer(call, "GET /api/runbooks", { runs: withState(stateFolder, runs) });
      }),
  },
  "/api/runbooks/*": {
    admin: true,
    GET: (call, rest) => {
      const [spec, asked, ...more] = segmentsOf(rest) ?? [];
      if (spec === undefined || asked === undefined || more.length > 0) {
        const message = "It is GET /api/runbooks/SPEC/RUN that shows a run, and …/SPEC/report the report.";
        sendMissing(call, "unknown_path", message);
        return;
      }
      void refusing(call, async () => {
        const runs = readRuns(stateFolder, MOST_RUNS).filter((run) => run.spec === spec);
        if (asked === "report") await sendReport(call, stateFolder, spec, runs);
        else await sendRun(call, stateFolder, asked, runs);
      });
    },
  },
});

/** The newest run of a spec whose lock a process holds is at work. */
function withState(stateFolder: string, runs: readonly RunRow[]): readonly Run[] {
  const seen = new Set<string>();
  return runs.map(({ pid: _pid, ...run }) => {
    const newest = !seen.has(run.spec);
    seen.add(run.spec);
    return { ...run, active: newest && run.ended === undefined && isRunbookLocked(stateFolder, run.spec) };
  });
}

async function sendRun(
  call: Call,
  stateFolder: string,
  asked: string,
  runs: readonly RunRow[],
): Promise<void> {
  const run = withState(stateFolder, runs).find(({ id }) => String(id) === asked);
  if (run === undefined) {
    sendMissing(call, "unknown_run", "The journal has no such run of that spec.");
    return;
  }
  const entries = await readRunEntries(stateFolder, [run.id]);
  const lastSeq = entries.at(-1)?.seq ?? 0;
  sendAnswer(call, "GET /api/runbooks/{spec}/{run}", { run, ...runSteps(entries), lastSeq });
}

async function sendReport(
  call: Call,
  stateFolder: string,
  spec: string,
  newestFirst: readonly RunRow[],
): Promise<void> {
  if (newestFirst.length === 0) {
    sendMissing(call, "unknown_run", "Nothing of that spec was ever applied with this state folder.");
    return;
  }
  const runs = newestFirst.toReversed();
  const entries = await readRunEntries(
    stateFolder,
    runs.map(({ id }) => id),
  );
  sendAnswer(call, "GET /api/runbooks/{spec}/report", { markdown: reportOf(spec, runs, entries) });
}
