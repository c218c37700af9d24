import { useMemo, useState } from "react";
import type { FormEvent } from "react";
import type { RequestRow } from "../../live/live-state.ts";
import { Button } from "../../parts/button.tsx";
import { Field } from "../../parts/field.tsx";
import { NO_FILTER } from "./request-filter.ts";
import type { FilterName, RequestFilter } from "./request-filter.ts";

interface RequestFiltersProps {
  readonly filter: RequestFilter;
  readonly setFilter: (filter: RequestFilter) => void;
  readonly rows: readonly RequestRow[];
  readonly own: boolean;
  readonly setOwn: (own: boolean) => void;
}

const OUTCOMES = ["answered", "refused", "failed", "cut", "abandoned"] as const;
const NAMES: readonly (readonly [FilterName, string])[] = [
  ["key", "Key"],
  ["route", "Route"],
  ["service", "Service"],
  ["model", "Model"],
];

/** What is asked of the books; it stands in the address, so that a link shows the same. */
export function RequestFilters({ filter, setFilter, rows, own, setOwn }: RequestFiltersProps) {
  const [id, setId] = useState(filter.id);
  const look = (event: FormEvent): void => {
    event.preventDefault();
    setFilter({ ...filter, id: id.trim() });
  };
  const isUsed = Object.values(filter).some((value) => value !== "");
  return (
    <form className="filters" role="search" aria-label="Requests" onSubmit={look}>
      {NAMES.map(([name, word]) => (
        <NameChoice
          key={name}
          word={word}
          rows={rows}
          name={name}
          value={filter[name]}
          choose={(value) => setFilter({ ...filter, [name]: value })}
        />
      ))}
      <Field
        name="Outcome"
        value={filter.outcome}
        choices={[["", "all"], ...OUTCOMES.map((one) => [one, one] as const)]}
        onChange={(outcome) => setFilter({ ...filter, outcome })}
      />
      <Field name="Id" type="search" value={id} onChange={setId} />
      <Button submit>Look</Button>
      <label className="check">
        <input type="checkbox" checked={own} onChange={(event) => setOwn(event.target.checked)} />
        <span>Those asked of the node itself, too</span>
      </label>
      {isUsed && (
        <Button tone="quiet" onPress={() => setFilter(NO_FILTER)}>
          Show all
        </Button>
      )}
    </form>
  );
}

interface NameChoiceProps {
  readonly word: string;
  readonly rows: readonly RequestRow[];
  readonly name: FilterName;
  readonly value: string;
  readonly choose: (value: string) => void;
}

/** One of the names that the requests shown have. */
function NameChoice({ word, rows, name, value, choose }: NameChoiceProps) {
  const names = useMemo(() => {
    const known = new Set(rows.flatMap((row) => row[name] ?? []));
    if (value !== "") known.add(value);
    return [...known].toSorted();
  }, [rows, name, value]);
  return (
    <Field
      name={word}
      value={value}
      choices={[["", "all"], ...names.map((one) => [one, one] as const)]}
      onChange={choose}
    />
  );
}
