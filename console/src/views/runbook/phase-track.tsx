import { phasesOf } from "./phases.ts";
import type { Step } from "./runbook-types.ts";

/** The phases of a run, one after another, each with how many of its steps are there. */
export function PhaseTrack({ steps }: { readonly steps: readonly Step[] }) {
  return (
    <ol className="phase-track" aria-label="Phases">
      {phasesOf(steps).map(({ name, good, steps: own, tone, word }) => (
        <li key={name} data-tone={tone}>
          <strong>{name}</strong>
          <span>
            {good} of {own.length}
          </span>
          <span>{word}</span>
        </li>
      ))}
    </ol>
  );
}
