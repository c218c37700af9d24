import { Badge } from "../../parts/badge.tsx";
import { CommandLine } from "../../parts/command-line.tsx";
import { keyed } from "../../parts/keyed.ts";
import { Notice } from "../../parts/notice.tsx";
import { Time } from "../../parts/time.tsx";
import { formatDuration } from "../../parts/words.ts";
import { CommandOutput } from "./command-output.tsx";
import { consentOf, toneOfStep } from "./run-words.ts";
import type { Step } from "./runbook-types.ts";

interface StepItemProps {
  readonly step: Step;
  /** Name of the spec that is applied. */
  readonly spec: string;
}

/** One step with what proves it, what it ran, and what it waits for. */
export function StepItem({ step, spec }: StepItemProps) {
  const { id, title, state, evidence, when, duration, asked, notes, commands } = step;
  return (
    <li className="step">
      <div className="row">
        <Badge tone={toneOfStep(step)}>{state}</Badge>
        <h3>{title}</h3>
      </div>
      <p className="quiet">
        <code>{id}</code>, asked for by <code>{asked}</code>
        {when !== undefined && (
          <>
            {" "}
            · <Time at={when} as="clock" />
          </>
        )}
        {duration !== undefined && ` · took ${formatDuration(duration)}`}
      </p>
      {evidence.length > 0 && (
        <ul className="evidence">
          {keyed(evidence, (line) => line).map(({ key, item }) => (
            <li key={key}>{item}</li>
          ))}
        </ul>
      )}
      <Consent token={consentOf(step)} spec={spec} />
      {keyed(notes, (note) => note).map(({ key, item }) => (
        <p key={key} className="step-note">
          <strong>Note:</strong> {item}
        </p>
      ))}
      {keyed(commands, ({ argv, time }) => `${time} ${argv.join(" ")}`).map(({ key, item }) => (
        <CommandOutput key={key} command={item} />
      ))}
    </li>
  );
}

/** How an owner agrees to what would destroy data or cut somebody off. */
function Consent({ token, spec }: { readonly token: string | undefined; readonly spec: string }) {
  if (token === undefined) return null;
  return (
    <Notice tone="warning" title="It waits for your consent">
      <p>
        Nothing of this step was done. If it shall be done to this very object, with the file of {spec} in the
        place of omni.yaml:
      </p>
      <CommandLine command={`./omni apply omni.yaml --consent ${token}`} />
    </Notice>
  );
}
