import { useLive } from "../../live/use-live.ts";
import { Check } from "../../parts/check.tsx";
import { Field } from "../../parts/field.tsx";
import { LIMITS } from "./key-draft.ts";
import type { DraftErrors, KeyDraft } from "./key-draft.ts";

interface KeyFieldsProps {
  readonly draft: KeyDraft;
  readonly onChange: (draft: KeyDraft) => void;
  readonly errors: DraftErrors;
}

/** What a key is called, may do, and how much. */
export function KeyFields({ draft, onChange, errors }: KeyFieldsProps) {
  const set = (change: Partial<KeyDraft>): void => onChange({ ...draft, ...change });
  return (
    <>
      <Field
        name="Name"
        value={draft.name}
        onChange={(name) => set({ name })}
        error={errors["name"]}
        hint="Whose or what it is for: laptop, team/ci."
      />
      <fieldset className="key-group">
        <legend>May</legend>
        <Check on={draft.admin} onChange={(admin) => set({ admin })}>
          change the node (admin)
        </Check>
        <Check on={draft.upstream} onChange={(upstream) => set({ upstream })}>
          use the engines' own endpoints
        </Check>
        <Check on={draft.readOnlyTools} onChange={(readOnlyTools) => set({ readOnlyTools })}>
          use only tools that say that they change nothing
        </Check>
        <Check on={draft.content} onChange={(content) => set({ content })}>
          have contents of its requests kept, where telemetry allows it
        </Check>
      </fieldset>
      <RouteChoice chosen={draft.routes} onChange={(routes) => set({ routes })} error={errors["routes"]} />
      <Field
        name="Tools"
        value={draft.tools}
        onChange={(tools) => set({ tools })}
        error={errors["tools"]}
        placeholder="files, git__read_*"
        hint="Servers, or globs of server__tool, by commas; empty: all of them."
      />
      <Limits draft={draft} set={set} errors={errors} />
    </>
  );
}

interface LimitsProps {
  readonly draft: KeyDraft;
  readonly set: (change: Partial<KeyDraft>) => void;
  readonly errors: DraftErrors;
}

function Limits({ draft, set, errors }: LimitsProps) {
  return (
    <fieldset className="key-group key-limits">
      <legend>Limits, empty for none</legend>
      {LIMITS.map(([limit, name]) => (
        <Field
          key={limit}
          name={name}
          value={draft.limits[limit]}
          onChange={(typed) => set({ limits: { ...draft.limits, [limit]: typed } })}
          error={errors[limit === "callsPerMinute" ? "mcp.callsPerMinute" : `limits.${limit}`]}
        />
      ))}
      <Field
        name="Priority"
        value={draft.priority}
        onChange={(priority) => set({ priority })}
        choices={PRIORITIES}
        error={errors["priority"]}
      />
      <Field
        name="Ends"
        value={draft.ends}
        onChange={(ends) => set({ ends })}
        choices={ENDS}
        error={draft.ends === "on" ? undefined : errors["expires"]}
      />
      {draft.ends === "on" && (
        <Field
          name="Last day"
          type="date"
          value={draft.endDay}
          onChange={(endDay) => set({ endDay })}
          error={errors["expires"]}
        />
      )}
    </fieldset>
  );
}

const PRIORITIES = Array.from({ length: 10 }, (_, index) => {
  const priority = String(9 - index);
  const word = new Map([
    ["9", "9, waits least"],
    ["5", "5, as usual"],
    ["0", "0, waits most"],
  ]).get(priority);
  return [priority, word ?? priority] as const;
});

const ENDS = [
  ["never", "never"],
  ["1", "in a day"],
  ["7", "in a week"],
  ["30", "in 30 days"],
  ["90", "in 90 days"],
  ["365", "in a year"],
  ["on", "on a day"],
] as const;

interface RouteChoiceProps {
  readonly chosen: readonly string[];
  readonly onChange: (chosen: readonly string[]) => void;
  readonly error: string | undefined;
}

function RouteChoice({ chosen, onChange, error }: RouteChoiceProps) {
  const status = useLive(({ status }) => status);
  const names = (status?.routes ?? []).map(({ name }) => name);
  if (names.length === 0) return null;
  return (
    <fieldset className="key-group">
      <legend>Routes, none chosen: all of them</legend>
      <div className="row">
        {names.map((name) => (
          <Check
            key={name}
            on={chosen.includes(name)}
            onChange={(on) => onChange(on ? [...chosen, name] : chosen.filter((one) => one !== name))}
          >
            {name}
          </Check>
        ))}
      </div>
      {error !== undefined && <small className="wrong">{error}</small>}
    </fieldset>
  );
}
