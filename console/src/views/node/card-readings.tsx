import { useAnswer } from "../../api/use-answer.ts";
import type { Card } from "../../live/live-state.ts";
import { useLive } from "../../live/use-live.ts";
import { Badge } from "../../parts/badge.tsx";
import { Facts } from "../../parts/facts.tsx";
import { Notice } from "../../parts/notice.tsx";
import { Time } from "../../parts/time.tsx";
import { formatBytes, percent } from "../../parts/words.ts";
import { cardTrend } from "./trend.ts";
import { TrendLine } from "../../parts/trend-line.tsx";

const THROTTLE_WORDS: Readonly<Record<NonNullable<Card["throttled"]>[number], string>> = {
  "power-cap": "at its power limit",
  "hardware-slowdown": "slowed by the hardware",
  "software-thermal": "slowed by heat (driver)",
  "hardware-thermal": "slowed by heat (hardware)",
  "power-brake": "slowed by the power supply",
};

const watts = (value: number): string => `${Math.round(value)} W`;
const degrees = (value: number): string => `${Math.round(value)} °C`;

/** What the sensors of a card say now, and how they were in the last hour. */
export function CardReadings({ card }: { readonly card: Card }) {
  const { lost, asOf, recovery, throttled = [] } = card;
  return (
    <>
      {lost !== undefined && (
        <Notice tone="error" title="The driver does not reach this card">
          {lost.reason} Since <Time at={lost.since} />; what is shown is what was last known.
        </Notice>
      )}
      {recovery !== undefined && (
        <Notice tone="warning" title={`The driver asks for: ${recovery.replaceAll("-", " ")}`} />
      )}
      {throttled.length > 0 && (
        <p className="row">
          {throttled.map((reason) => (
            <Badge key={reason} tone="warning">
              {THROTTLE_WORDS[reason]}
            </Badge>
          ))}
        </p>
      )}
      <CardFacts card={card} />
      {asOf !== undefined && (
        <p className="quiet">
          The driver is slow to answer: read <Time at={asOf} />.
        </p>
      )}
      <CardTrends card={card} />
    </>
  );
}

function CardFacts({ card }: { readonly card: Card }) {
  const { temperature, memoryTemperature, power, powerLimit, link, utilization, eccErrors, lastXid } = card;
  const drawn = power === undefined ? undefined : watts(power);
  return (
    <Facts
      of={{
        Temperature: temperature === undefined ? undefined : degrees(temperature),
        "Memory temperature": memoryTemperature === undefined ? undefined : degrees(memoryTemperature),
        Power: powerLimit === undefined ? drawn : `${drawn ?? "?"} of ${watts(powerLimit)}`,
        Computing: utilization === undefined ? undefined : percent(utilization),
        PCIe: link === undefined ? undefined : `generation ${link.generation}, ${link.lanes} lanes`,
        Address: card.pci,
        "ECC errors": eccErrors,
        "Last Xid": lastXid === undefined ? "none" : String(lastXid),
      }}
    />
  );
}

function CardTrends({ card }: { readonly card: Card }) {
  const { uuid, powerLimit, memoryTotal, memoryUsed, temperature, power, utilization } = card;
  const history = useAnswer("GET /api/history/cards/{uuid}", { params: { uuid } }).value?.points;
  const readings = useLive((state) => state.readings);
  const points = history ?? [];
  return (
    <div className="trends">
      {utilization !== undefined && (
        <TrendLine
          name="Computing"
          dots={cardTrend(points, readings, uuid, "utilization")}
          most={1}
          say={percent}
        />
      )}
      {temperature !== undefined && (
        <TrendLine name="Temperature" dots={cardTrend(points, readings, uuid, "temperature")} say={degrees} />
      )}
      {power !== undefined && (
        <TrendLine
          name="Power"
          dots={cardTrend(points, readings, uuid, "power")}
          say={watts}
          {...(powerLimit === undefined ? {} : { most: powerLimit })}
        />
      )}
      {memoryUsed !== undefined && (
        <TrendLine
          name="Memory used"
          dots={cardTrend(points, readings, uuid, "memoryUsed")}
          say={formatBytes}
          {...(memoryTotal === undefined ? {} : { most: memoryTotal })}
        />
      )}
    </div>
  );
}
