import { DataTable } from "../../parts/data-table.tsx";
import { formatBytes } from "../../parts/words.ts";
import type { Plan } from "./plan-types.ts";

/** Services that take turns on a card. */
export const SwapSets = ({ of }: { readonly of: NonNullable<Plan["swapSets"]> }) => (
  <DataTable
    caption="Swap sets"
    rows={of}
    keyOf={({ name }) => name}
    columns={[
      { name: "Set", cell: ({ name }) => name },
      { name: "By turns", cell: ({ services }) => services.join(", ") },
      { name: "Loaded when idle", cell: ({ standing }) => standing },
      {
        name: "Reserves",
        cell: ({ reserves }) =>
          reserves
            .filter(({ bytes }) => bytes > 0)
            .map(({ device, bytes }) => `${formatBytes(bytes)} on ${device}`)
            .join(", "),
      },
    ]}
  />
);
