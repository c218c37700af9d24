import { formatBytes } from "../../core/index.ts";
import type { Style } from "../terminal.ts";
import { pad } from "./cells.ts";
import { clockText } from "./header-lines.ts";
import type { Line, Span } from "./line.ts";
import { fitted, span } from "./line.ts";
import type { Section } from "./section.ts";
import { listSection } from "./section.ts";
import type { TopCard, TopModel } from "./top-model.ts";
import type { Fill } from "./vessel.ts";
import { vesselLine } from "./vessel.ts";

/** Colours of services in a bar, in turn. */
const COLOURS: readonly Style[] = ["cyan", "green", "yellow"];
const USED = 15;
const TAIL = 22;
/** Celsius from which a temperature is shown as hot. */
const HOT = 85;

/** Cards, main memory and disks as bars, with what is wrong with them beneath. Nothing where they are not told. */
export function machineSection(model: TopModel, width: number): Section | undefined {
  const { host, cards } = model;
  if (host === undefined) return undefined;
  const name = Math.min(
    width >= 160 ? 44 : width >= 120 ? 34 : 13,
    Math.max(6, ...labels(model, width).map(({ length }) => length)),
  );
  const bar = Math.max(10, width - name - USED - TAIL - 3);
  const head: Line = [
    span(
      `${pad("CARD", name)} ${pad("MEMORY", bar)} ${pad("USED", USED, "right")}  TEMP    POWER  BUSY`,
      "dim",
    ),
  ];
  const colours = coloursOf(model);
  const row = (label: string, fills: readonly Fill[], total: number, tail: readonly Span[]): Line =>
    fitted(
      [
        span(`${pad(label, name)} `, "bold"),
        ...vesselLine(fills, total, bar),
        span(` ${pad(used(fills, total), USED, "right")} `),
        ...tail,
      ],
      width,
    );
  const lines = [
    ...cards.flatMap((card) => [
      row(cardLabel(card, width), fillsOf(card, colours), card.memoryTotal ?? 0, cardTail(card)),
      ...cardMarks(card).map((mark): Line => [span(`${" ".repeat(name)} ! ${mark.text}`, mark.style)]),
    ]),
    ...hostRows(host).map(([label, taken, total, tail]) =>
      row(label, [{ label: "", bytes: taken }], total, [span(tail, "dim")]),
    ),
  ];
  return listSection(cards.length === 0 ? lines : [head, ...lines], 3, "lines of cards, memory and disks");
}

const labels = (model: TopModel, width: number): readonly string[] =>
  model.cards.map((card) => cardLabel(card, width));

const cardLabel = ({ device, index, name }: TopCard, width: number): string =>
  width >= 120 ? `${device ?? `card ${index}`}  ${name}` : (device ?? `card ${index}`);

/** A colour for each service that holds memory, the same on every card. */
function coloursOf({ services }: TopModel): ReadonlyMap<string, Style> {
  return new Map(services.map(({ name }, index) => [name, COLOURS[index % COLOURS.length] ?? "cyan"]));
}

function fillsOf({ holdings }: TopCard, colours: ReadonlyMap<string, Style>): readonly Fill[] {
  return holdings.map(({ service, bytes }) => {
    const style = service === undefined ? "dim" : colours.get(service);
    return { label: service ?? "other", bytes, ...(style === undefined ? {} : { style }) };
  });
}

/** `30.0/95.6 GiB`: both in the unit of the whole. */
function used(fills: readonly Fill[], total: number): string {
  const [whole = "", unit = ""] = formatBytes(total).split(" ");
  const bytes = fills.reduce((sum, fill) => sum + fill.bytes, 0);
  const part = total === 0 ? 0 : (bytes / total) * Number(whole);
  return total === 0 ? "not told" : `${part.toFixed(1)}/${Number(whole).toFixed(1)} ${unit}`;
}

function cardTail({ temperature, power, powerLimit, utilization }: TopCard): readonly Span[] {
  const degrees = temperature === undefined ? "" : `${Math.round(temperature)} °C`;
  const limit = powerLimit === undefined ? "" : `/${Math.round(powerLimit)}`;
  const watts = power === undefined ? "" : `${Math.round(power)}${limit} W`;
  const busy = utilization === undefined ? "" : `${Math.round(utilization * 100)} %`;
  const heat = temperature !== undefined && temperature >= HOT ? "red" : undefined;
  return [span(pad(degrees, 6, "right"), heat), span(pad(watts, 10, "right")), span(pad(busy, 6, "right"))];
}

/** What is wrong with a card. */
function cardMarks(card: TopCard): readonly Span[] {
  const { lost, throttled = [], lastXid, eccErrors = 0, recovery, asOf } = card;
  return [
    ...(lost === undefined ? [] : [span(`LOST since ${clockText(lost.since)}: ${lost.reason}`, "red")]),
    ...(lastXid === undefined ? [] : [span(`Xid ${lastXid} from the driver`, "red")]),
    ...(recovery === undefined ? [] : [span(`the driver asks for: ${recovery}`, "red")]),
    ...(eccErrors === 0 ? [] : [span(`${eccErrors} uncorrected memory errors`, "red")]),
    ...(throttled.length === 0 ? [] : [span(`throttled: ${throttled.join(", ")}`, "yellow")]),
    ...(asOf === undefined || lost !== undefined
      ? []
      : [span(`the driver has not answered since ${clockText(asOf)}`, "yellow")]),
  ];
}

type HostRow = readonly [label: string, taken: number, total: number, tail: string];

function hostRows({ memoryTotal, memoryAvailable, swapUsed = 0, pressure, disks }: HostReading): HostRow[] {
  const waits = pressure?.memory?.some ?? 0;
  const tail = [
    ...(swapUsed > 0 ? [`swap ${formatBytes(swapUsed)}`] : []),
    ...(waits >= 0.01 ? [`waits ${Math.round(waits * 100)} %`] : []),
  ].join(", ");
  return [
    ["memory", memoryTotal - memoryAvailable, memoryTotal, tail],
    ...disks.map(({ mount, size, free }): HostRow => [mount, size - free, size, ""]),
  ];
}

type HostReading = NonNullable<TopModel["host"]>;
