import { useMemo, useState } from "react";
import { Button } from "../../../parts/button.tsx";
import { Field } from "../../../parts/field.tsx";
import { Panel } from "../../../parts/panel.tsx";
import type { RunningPlan } from "../plan-types.ts";
import { ChangeList } from "./change-list.tsx";
import { ExportSpec } from "./export-spec.tsx";
import { PathRow } from "./path-row.tsx";
import { ServiceFields } from "./service-fields.tsx";
import { NO_DRAFT, trialOf, withChange, withoutChange } from "./spec-changes.ts";
import type { Draft, SpecChange } from "./spec-changes.ts";
import { SpecEditor } from "./spec-editor.tsx";
import { servicesOf, specOf } from "./spec-values.ts";
import { TrialResult } from "./trial-result.tsx";
import { useTrial } from "./use-trial.ts";
import { Verdict } from "./verdict.tsx";

/** Tries changes of the spec: the node plans them and is not changed. */
export function Planner({ running }: { readonly running: RunningPlan }) {
  const [draft, setDraft] = useState<Draft>(NO_DRAFT);
  const base = draft.text ?? running.text;
  const spec = useMemo(() => specOf(base), [base]);
  const touched = draft.text !== undefined || draft.changes.length > 0;
  const trial = useTrial(touched ? trialOf(draft, spec, running.plan) : undefined);
  const text = draft.changes.length === 0 ? base : (trial.tried?.text ?? base);
  const change = (one: SpecChange): void => setDraft((last) => withChange(last, spec, one));
  return (
    <div className="planner">
      <Verdict trial={trial} />
      <div className="planner-side">
        <Panel
          title="Changes"
          actions={
            <Button onPress={() => setDraft(NO_DRAFT)} disabled={!touched}>
              Reset all
            </Button>
          }
        >
          <ChangeList
            draft={draft}
            spec={spec}
            undo={(path) => setDraft((last) => withoutChange(last, path))}
            undoText={() => setDraft(({ changes }) => ({ changes }))}
          />
        </Panel>
        <Services running={running} spec={spec} draft={draft} onChange={change} />
        <Panel title="Any other value">
          <PathRow onChange={change} />
        </Panel>
        <Panel title="Text">
          <details className="fold">
            <summary>Edit the whole spec</summary>
            <SpecEditor
              text={text}
              findings={(trial.tried ?? running.plan).diagnostics}
              onText={(edited) => setDraft({ text: edited, changes: [] })}
            />
          </details>
        </Panel>
      </div>
      <div className="planner-side">
        <TrialResult running={running.plan} trial={trial} />
        {touched && trial.tried !== undefined && (
          <ExportSpec
            text={trial.tried.text}
            origin={running.origin}
            wrong={trial.tried.plan === undefined}
          />
        )}
      </div>
    </div>
  );
}

interface ServicesProps {
  readonly running: RunningPlan;
  readonly spec: unknown;
  readonly draft: Draft;
  readonly onChange: (change: SpecChange) => void;
}

/** The fields of one service, chosen from all. */
function Services({ running, spec, draft, onChange }: ServicesProps) {
  const [chosen, setChosen] = useState<string>();
  const names = servicesOf(spec, running.plan);
  const service = chosen !== undefined && names.includes(chosen) ? chosen : names[0];
  if (service === undefined) return null;
  return (
    <Panel title={names.length === 1 ? `Service ${service}` : "Service"}>
      {names.length > 1 && (
        <Field
          name="Which"
          value={service}
          onChange={setChosen}
          choices={names.map((name) => [name, name] as const)}
        />
      )}
      <ServiceFields
        // What was typed belongs to its service.
        key={service}
        service={service}
        spec={spec}
        plan={running.plan}
        draft={draft}
        onChange={onChange}
      />
    </Panel>
  );
}
