import { useState } from "react";
import type { FormEvent } from "react";
import { Button } from "../../../parts/button.tsx";
import { Field } from "../../../parts/field.tsx";
import type { SpecChange } from "./spec-changes.ts";
import { typedValue } from "./spec-values.ts";

/** Any value of the spec, by its path. */
export function PathRow({ onChange }: { readonly onChange: (change: SpecChange) => void }) {
  const [path, setPath] = useState("");
  const [value, setValue] = useState("");
  const [error, setError] = useState<string>();
  const add = (event: FormEvent): void => {
    event.preventDefault();
    if (path.trim() === "") {
      setError("Which value? For example policies.headroom.vram");
      return;
    }
    setError(undefined);
    onChange({ path: path.trim(), value: typedValue(value) });
    setPath("");
    setValue("");
  };
  return (
    <form className="path-row" onSubmit={add}>
      <Field
        name="Path in the spec"
        value={path}
        onChange={setPath}
        placeholder="policies.headroom.vram"
        error={error}
      />
      <Field name="Value, empty takes it out" value={value} onChange={setValue} placeholder="2GiB" />
      <Button submit>Set</Button>
    </form>
  );
}
