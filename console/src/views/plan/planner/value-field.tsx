import { useState } from "react";
import { Field } from "../../../parts/field.tsx";
import { shownValue, typedValue } from "./spec-values.ts";

interface ValueFieldProps {
  readonly name: string;
  readonly value: unknown;
  readonly onValue: (value: unknown) => void;
  readonly hint?: string;
  readonly placeholder?: string;
  /** How the value is written and read, where it is not as in the spec. */
  readonly show?: (value: unknown) => string;
  readonly read?: (text: string) => unknown;
}

/** A value of the spec that is typed; what was typed stays as it is as long as it means the value. */
export function ValueField({
  name,
  value,
  onValue,
  show = shownValue,
  read = typedValue,
  ...rest
}: ValueFieldProps) {
  const [typed, setTyped] = useState<string>();
  const means = typed !== undefined && JSON.stringify(read(typed)) === JSON.stringify(value ?? null);
  const change = (text: string): void => {
    setTyped(text);
    onValue(read(text));
  };
  return <Field name={name} value={means ? typed : show(value)} onChange={change} {...rest} />;
}
