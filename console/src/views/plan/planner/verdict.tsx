import { Badge } from "../../../parts/badge.tsx";
import { verdictOf } from "./plan-news.ts";
import type { Trial } from "./use-trial.ts";

/** What the changes come to, in one sentence that stays to be seen while they are made. */
export function Verdict({ trial: { tried, busy } }: { readonly trial: Trial }) {
  const words = tried === undefined ? undefined : verdictOf(tried.plan, tried.diagnostics);
  const good = words?.startsWith("It fits") === true;
  return (
    <p role="status" aria-busy={busy} className="verdict">
      {words !== undefined && (
        <>
          <Badge tone={good ? "good" : "error"}>{good ? "fits" : "does not work"}</Badge> {words}{" "}
        </>
      )}
      {busy && <span className="quiet">Planning …</span>}
      {words === undefined && !busy && <span className="quiet">Nothing is tried yet.</span>}
    </p>
  );
}
