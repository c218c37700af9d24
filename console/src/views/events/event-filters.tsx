import { Button } from "../../parts/button.tsx";
import { Field } from "../../parts/field.tsx";
import { NO_FILTER } from "./event-filter.ts";
import type { EventFilter } from "./event-filter.ts";

interface EventFiltersProps {
  readonly filter: EventFilter;
  readonly setFilter: (filter: EventFilter) => void;
  /** What can be chosen: of the events that are here. */
  readonly kinds: readonly string[];
  readonly services: readonly string[];
}

const TIMES = [
  ["", "any time"],
  ["5", "5 minutes"],
  ["60", "an hour"],
  ["1440", "a day"],
  ["10080", "a week"],
] as const;

/** What is shown of the events; it stands in the address, so that a link shows the same. */
export function EventFilters({ filter, setFilter, kinds, services }: EventFiltersProps) {
  const change = (part: Partial<EventFilter>): void => setFilter({ ...filter, ...part });
  const isUsed = Object.values(filter).some((value) => value !== "");
  return (
    <form className="filters" role="search" aria-label="Events" onSubmit={(event) => event.preventDefault()}>
      <Field
        name="How bad"
        value={filter.severity}
        choices={[
          ["", "all"],
          ["warning", "warnings and errors"],
          ["error", "errors"],
        ]}
        onChange={(value) => change({ severity: value === "warning" || value === "error" ? value : "" })}
      />
      <Field
        name="Kind"
        value={filter.kind}
        choices={[["", "all"], ...kindChoices(kinds, filter.kind)]}
        onChange={(kind) => change({ kind })}
      />
      <Field
        name="Service"
        value={filter.service}
        choices={[["", "all"], ...withChosen(services, filter.service).map((name) => [name, name] as const)]}
        onChange={(service) => change({ service })}
      />
      <Field
        name="Not older than"
        value={filter.minutes}
        choices={[
          ...TIMES,
          ...(TIMES.some(([value]) => value === filter.minutes)
            ? []
            : [[filter.minutes, `${filter.minutes} minutes`] as const]),
        ]}
        onChange={(minutes) => change({ minutes })}
      />
      <Field name="Words" type="search" value={filter.text} onChange={(text) => change({ text })} />
      {isUsed && (
        <Button tone="quiet" onPress={() => setFilter(NO_FILTER)}>
          Show all
        </Button>
      )}
    </form>
  );
}

const withChosen = (names: readonly string[], chosen: string): readonly string[] =>
  chosen === "" || names.includes(chosen) ? names : [chosen, ...names];

/** Whole families first (`request.…`), then each kind. */
function kindChoices(kinds: readonly string[], chosen: string): readonly (readonly [string, string])[] {
  const families = [...new Set(kinds.map((kind) => `${kind.split(".")[0] ?? kind}.`))];
  return [
    ...families.map((family) => [family, `all ${family}`] as const),
    ...withChosen(kinds, families.includes(chosen) ? "" : chosen).map((kind) => [kind, kind] as const),
  ];
}
