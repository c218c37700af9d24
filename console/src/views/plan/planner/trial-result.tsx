import { Empty } from "../../../parts/empty.tsx";
import { Failure } from "../../../parts/failure.tsx";
import { Findings } from "../../../parts/findings.tsx";
import { Legend } from "../../../parts/legend.tsx";
import { Panel } from "../../../parts/panel.tsx";
import { formatBytes } from "../../../parts/words.ts";
import { DeviceBar } from "../device-memory.tsx";
import { MEMORY_LEGEND } from "../memory-terms.ts";
import type { Plan, Tried } from "../plan-types.ts";
import { Refusals } from "../refusals.tsx";
import { withoutTold } from "../told-findings.ts";
import { devicePairs, isNewFinding, isNewRefusal } from "./plan-news.ts";
import type { DevicePair } from "./plan-news.ts";
import type { Trial } from "./use-trial.ts";

interface TrialResultProps {
  readonly running: Plan;
  readonly trial: Trial;
}

/** What the changes come to, beside the running plan. */
export function TrialResult({ running, trial: { tried, error } }: TrialResultProps) {
  const before = isNewRefusal(running);
  const refused = (tried?.plan?.rejected ?? []).filter((one) => one.alternative !== true || before(one));
  return (
    <>
      <Panel title="What it comes to">
        {tried === undefined && error === undefined && (
          <Empty>Set something, and the node plans it with the code that it plans itself with.</Empty>
        )}
        {error !== undefined && <Failure error={error} />}
        {tried !== undefined && <Differences of={tried} />}
      </Panel>
      {refused.length > 0 && (
        <Panel title="Not taken">
          <Refusals of={refused} isNew={before} />
        </Panel>
      )}
      {tried?.plan !== undefined && (
        <Panel title="Memory before and after" actions={<Legend of={MEMORY_LEGEND} />}>
          <div className="devices">
            {devicePairs(running, tried.plan).map((pair) => (
              <BeforeAndAfter key={pair.key} pair={pair} running={running} plan={tried.plan ?? running} />
            ))}
          </div>
        </Panel>
      )}
      {tried !== undefined && tried.diagnostics.length > 0 && (
        <Panel title="Findings">
          <TriedFindings tried={tried} running={running} />
        </Panel>
      )}
    </>
  );
}

function TriedFindings({ tried, running }: { readonly tried: Tried; readonly running: Plan }) {
  const isNew = isNewFinding(running);
  const fresh = tried.diagnostics.filter(isNew);
  const known = tried.diagnostics.filter((finding) => !isNew(finding));
  const rejected = tried.plan?.rejected ?? [];
  return (
    <>
      {fresh.length > 0 && (
        <>
          <h3 className="new-findings">New with these changes</h3>
          <Findings of={withoutTold(fresh, rejected)} />
        </>
      )}
      {known.length > 0 && (
        <details className="fold" open={fresh.length === 0}>
          <summary>{known.length} as before</summary>
          <Findings of={withoutTold(known, rejected)} />
        </details>
      )}
    </>
  );
}

function Differences({ of }: { readonly of: Tried }) {
  if (of.plan === undefined) return <p>There is no plan to compare: the findings say what is wrong.</p>;
  // What was found newly stands among the findings, with its remedy.
  const lines = of.differences.filter((line) => !line.startsWith("+ findings"));
  if (lines.length === 0) return <p>Nothing differs from the plan that runs.</p>;
  return (
    <section>
      <h3>What differs from the plan that runs</h3>
      <ul className="differences">
        {lines.map((line) => (
          <li key={line} data-kind={KINDS.get(line.charAt(0))}>
            {line}
          </li>
        ))}
      </ul>
    </section>
  );
}

const KINDS: ReadonlyMap<string, string> = new Map([
  ["+", "added"],
  ["-", "removed"],
]);

interface BeforeAndAfterProps {
  readonly pair: DevicePair;
  readonly running: Plan;
  readonly plan: Plan;
}

function BeforeAndAfter({ pair: { name, before, after }, running, plan }: BeforeAndAfterProps) {
  return (
    <article className="device-memory">
      <h3>
        {name} <span className="quiet">{(after ?? before)?.label}</span>
      </h3>
      <div className="pair">
        <span>runs</span>
        {before === undefined ? (
          <span>not there</span>
        ) : (
          <DeviceBar device={before} plan={running} when=" as it runs" />
        )}
        <span>tried</span>
        {after === undefined ? (
          <span>not there</span>
        ) : (
          <DeviceBar device={after} plan={plan} when=" as tried" />
        )}
      </div>
      {before !== undefined && after !== undefined && (
        <p className="quiet">{freeOf(before.free, after.free)}</p>
      )}
    </article>
  );
}

const freeOf = (before: number, after: number): string =>
  before === after
    ? `${formatBytes(before)} free, as before.`
    : `${formatBytes(before)} free → ${formatBytes(after)} free`;
