import { isRunbookLocked, watchRuns } from "../../store/index.ts";
import type { RunRow } from "../../store/index.ts";
import type { RunLook } from "./stream-sources.ts";

/** The newest run of each spec of a state folder, with whether it is at work: its process holds the lock of the spec. */
export function openRunLook(stateFolder: string): RunLook {
  const watch = watchRuns(stateFolder);
  let rows: readonly RunRow[] = [];
  /** Specs whose newest run was at work at the last look. */
  let working = new Set<string>();
  const isAtWork = ({ spec, ended }: RunRow): boolean =>
    ended === undefined && isRunbookLocked(stateFolder, spec);
  return {
    look() {
      const fresh = watch.look();
      // A process that is killed writes nothing; its lock is gone.
      if (fresh === undefined && working.size === 0) return undefined;
      rows = fresh ?? rows;
      const before = working;
      working = new Set(rows.filter(isAtWork).map(({ spec }) => spec));
      if (fresh === undefined && before.size === working.size) return undefined;
      return rows.map(({ pid: _pid, ...run }) => ({ ...run, active: working.has(run.spec) }));
    },
    close: () => watch.close(),
  };
}
