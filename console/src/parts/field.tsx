import { useId } from "react";
import type { ReactNode } from "react";

interface FieldProps {
  readonly name: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly hint?: ReactNode;
  /** What is wrong with the value. */
  readonly error?: string | undefined;
  readonly placeholder?: string;
  readonly type?: "text" | "number" | "search" | "date";
  /** The only values that may be chosen, each with its word. */
  readonly choices?: readonly (readonly [value: string, word: string])[];
  /** Several lines. */
  readonly lines?: number;
}

/** A named value that can be typed or chosen. */
export function Field({
  name,
  value,
  onChange,
  hint,
  error,
  placeholder,
  type = "text",
  choices,
  lines,
}: FieldProps) {
  const id = useId();
  const described = error === undefined && hint === undefined ? undefined : `${id}-about`;
  const common = {
    id,
    value,
    "aria-describedby": described,
    "aria-invalid": error === undefined ? undefined : true,
    onChange: (event: { readonly target: { readonly value: string } }) => onChange(event.target.value),
  } as const;
  return (
    <div className="field">
      <label htmlFor={id}>{name}</label>
      {choices !== undefined ? (
        <select {...common}>
          {choices.map(([choice, word]) => (
            <option key={choice} value={choice}>
              {word}
            </option>
          ))}
        </select>
      ) : lines !== undefined ? (
        <textarea {...common} rows={lines} spellCheck={false} placeholder={placeholder} />
      ) : (
        <input {...common} type={type} autoComplete="off" spellCheck={false} placeholder={placeholder} />
      )}
      {described !== undefined && (
        <small id={described} className={error === undefined ? "quiet" : "wrong"}>
          {error ?? hint}
        </small>
      )}
    </div>
  );
}
