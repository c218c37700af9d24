import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table.tsx";
import { formatDuration } from "../../parts/words.ts";
import type { Plan } from "./plan-types.ts";
import { ProseCell } from "./prose-cell.tsx";

type Route = Plan["routes"][number];
type Candidate = NonNullable<Route["rules"]>["candidates"][number];

/** The names that clients may ask for, and who answers each. */
export const PlannedRoutes = ({ routes }: { readonly routes: readonly Route[] }) => (
  <DataTable caption="Who answers each route" rows={routes} keyOf={({ name }) => name} columns={COLUMNS} />
);

const COLUMNS: readonly Column<Route>[] = [
  { name: "Route", cell: ({ name }) => name },
  { name: "Answered by", cell: (route) => <ProseCell text={answeredBy(route)} /> },
  { name: "Chosen", cell: ({ rules }) => rules?.strategy ?? "" },
  { name: "When it fails", cell: (route) => <ProseCell text={afterFailure(route)} /> },
];

const answeredBy = ({ rules, services }: Route): string =>
  rules === undefined ? services.join(", then ") : rules.candidates.map(candidate).join(", then ");

function candidate({ service, when, maxConcurrent }: Candidate): string {
  const { promptTokens, needs, keys, hours } = when ?? {};
  const conditions = [
    promptTokens?.above === undefined ? undefined : `prompts above ${promptTokens.above} tokens`,
    promptTokens?.below === undefined ? undefined : `prompts below ${promptTokens.below} tokens`,
    needs === undefined ? undefined : `needs ${needs.join(", ")}`,
    keys === undefined ? undefined : `keys ${keys.join(", ")}`,
    hours === undefined ? undefined : "at its hours",
    when?.headers === undefined ? undefined : `headers ${Object.keys(when.headers).join(", ")}`,
    maxConcurrent === undefined ? undefined : `at most ${maxConcurrent} at a time`,
  ].filter((condition) => condition !== undefined);
  return conditions.length === 0 ? service : `${service} (${conditions.join("; ")})`;
}

function afterFailure({ rules }: Route): string {
  if (rules === undefined) return "";
  const { retries, hedge, timeouts } = rules;
  return [
    `${retries} more tries`,
    rules.continue ? "cut answers go on elsewhere" : undefined,
    hedge === undefined ? undefined : `a second one is asked after ${formatDuration(hedge.after)}`,
    `first byte within ${formatDuration(timeouts.firstByte)}`,
  ]
    .filter((part) => part !== undefined)
    .join(", ");
}
