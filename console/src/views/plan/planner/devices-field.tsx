import { useId } from "react";

interface DevicesFieldProps {
  /** As the spec has it: `auto`, `cpu`, a card or a list of them. */
  readonly value: unknown;
  readonly cards: readonly string[];
  readonly onValue: (value: unknown) => void;
}

/** On which cards a service may be: chosen ones, none, or what the plan finds best. */
export function DevicesField({ value, cards, onValue }: DevicesFieldProps) {
  const about = useId();
  const chosen = chosenOf(value);
  const toggle = (name: string, on: boolean): void => {
    const others = chosen.filter((one) => one !== name && one !== "cpu" && name !== "cpu");
    const next = on ? [...others, name] : others;
    onValue(next.length === 0 ? "auto" : next.length === 1 ? next[0] : next);
  };
  return (
    <fieldset className="field choices" aria-describedby={about}>
      <legend>Devices</legend>
      <div className="row">
        {[...cards, "cpu"].map((name) => (
          <label key={name} className="check">
            <input
              type="checkbox"
              checked={chosen.includes(name)}
              onChange={(event) => toggle(name, event.target.checked)}
            />
            {name === "cpu" ? "processor only" : name}
          </label>
        ))}
      </div>
      <small id={about} className="quiet">
        {chosen.length === 0 ? "None chosen: the plan chooses." : "Only what is chosen is used."}
      </small>
    </fieldset>
  );
}

function chosenOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(String);
  return typeof value === "string" && value !== "auto" ? [value] : [];
}
