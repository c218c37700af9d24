import { useState } from "react";
import { formatBytes } from "../../parts/words.ts";
import { CardReadings } from "./card-readings.tsx";
import type { Layer, Vessel } from "./vessel.ts";
import { sayLayer, VesselColumn } from "./vessel-column.tsx";
import { VesselTable } from "./vessel-table.tsx";

/** A device as planned and as it is, side by side, with what its sensors say. */
export function VesselFigure({ vessel }: { readonly vessel: Vessel }) {
  const { device, label, capacity, planned, measured, unmeasured, card } = vessel;
  const [pointed, setPointed] = useState<{ readonly column: "planned" | "now"; readonly layer: number }>();
  const column = (name: "planned" | "now", layers: readonly Layer[]) => (
    <VesselColumn
      label={`${device} ${name === "now" ? "as measured now" : "as planned"}`}
      word={name}
      layers={layers}
      capacity={capacity}
      chosen={pointed?.column === name ? pointed.layer : undefined}
      choose={(layer) => setPointed(layer === undefined ? undefined : { column: name, layer })}
    />
  );
  const layer = (pointed?.column === "now" ? measured : planned)?.[pointed?.layer ?? -1];
  return (
    <article className="vessel" aria-label={`${device}, ${label}`}>
      <header>
        <h3>{device}</h3>
        <p className="quiet" title={label}>
          {label}
        </p>
        <p className="quiet">{formatBytes(capacity)}</p>
      </header>
      <div className="vessel-columns">
        {planned !== undefined && column("planned", planned)}
        {measured !== undefined && column("now", measured)}
      </div>
      <p className="vessel-figure">{layer === undefined ? (unmeasured ?? " ") : sayLayer(layer, capacity)}</p>
      {card !== undefined && <CardReadings card={card} />}
      <details>
        <summary>Figures of {device}</summary>
        <VesselTable vessel={vessel} />
      </details>
    </article>
  );
}
