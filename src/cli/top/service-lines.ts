import { formatDuration } from "../../core/index.ts";
import { ladderText, stateStyle, stateText } from "../service-text.ts";
import type { Column } from "./columns.ts";
import { tableLines } from "./columns.ts";
import { pace } from "./header-lines.ts";
import type { Line } from "./line.ts";
import { span } from "./line.ts";
import type { Section } from "./section.ts";
import type { TopModel, TopService } from "./top-model.ts";

const RUNG: Column<TopService> = {
  head: "RUNG",
  to: "right",
  cell: ({ ladder }) => ({ text: ladder === undefined ? "" : `${ladder.rung}`, style: "yellow" }),
};

const columns = (selected: string | undefined, ladders: boolean): readonly Column<TopService>[] => [
  {
    head: "  SERVICE",
    least: 12,
    cell: ({ name }) => (name === selected ? { text: `> ${name}`, style: "bold" } : { text: `  ${name}` }),
  },
  {
    head: "STATE",
    least: 12,
    rank: 9,
    cell: ({ state, progress }) => ({ text: stateText({ state, progress }), style: stateStyle(state) }),
  },
  { head: "ENGINE", least: 10, rank: 3, cell: ({ engine }) => ({ text: engine }) },
  { head: "MODEL", least: 14, rank: 1, cell: ({ model }) => ({ text: model }) },
  { head: "ON", least: 10, rank: 4, cell: ({ devices }) => ({ text: (devices ?? []).join(" + ") }) },
  { head: "CONTEXT", to: "right", rank: 0, cell: ({ contextTokens }) => ({ text: `${contextTokens}` }) },
  ...(ladders ? [RUNG] : []),
  { head: "BUSY", to: "right", rank: 8, cell: (service) => ({ text: busyText(service) }) },
  {
    head: "TTFT",
    to: "right",
    rank: 5,
    cell: ({ ttft }) => ({ text: ttft === undefined ? "" : formatDuration(ttft) }),
  },
  {
    head: "TOK/S",
    to: "right",
    rank: 5,
    cell: ({ tokensPerSecond }) => ({ text: tokensPerSecond === undefined ? "" : pace(tokensPerSecond) }),
  },
  { head: "RESTARTS", to: "right", rank: 2, cell: ({ restarts }) => ({ text: `${restarts}` }) },
];

/** `3/4 +2`: answers under way of those that it takes at once, and what waits in its engine. */
export function busyText({ inFlight = 0, parallel, load }: TopService): string {
  const waiting = load?.waiting ?? 0;
  return `${inFlight}/${parallel}${waiting > 0 ? ` +${waiting}` : ""}`;
}

/** Why a service is not as planned, a line each. */
export function whyLines(service: TopService): readonly Line[] {
  const { ladder, reason, divertedTo, longPrompts, state } = service;
  return [
    ...(reason === undefined ? [] : [[span(`    ${reason}`, state === "failed" ? "red" : "dim")]]),
    ...(ladder === undefined ? [] : [[span(`    ${ladderText(ladder)}`, "yellow")]]),
    ...(divertedTo === undefined ? [] : [[span(`    its requests go to ${divertedTo} for now`, "yellow")]]),
    ...(longPrompts === undefined
      ? []
      : [[span(`    prompts above ${longPrompts.above} tokens go to ${longPrompts.to} for now`, "yellow")]]),
  ];
}

/** The services, a line each with why they are as they are; where there is little room, those around the selected one. */
export function servicesSection(model: TopModel, selected: string | undefined, width: number): Section {
  const [head = [], ...rows] = tableLines(
    columns(
      selected,
      model.services.some(({ ladder }) => ladder !== undefined),
    ),
    model.services,
    width,
  );
  const entries = rows.map((row, index) => {
    const service = model.services[index];
    return { row, why: service === undefined ? [] : whyLines(service) };
  });
  const wanted = 1 + entries.reduce((sum, { why }) => sum + 1 + why.length, 0);
  const chosen = Math.max(
    0,
    model.services.findIndex(({ name }) => name === selected),
  );
  return {
    least: Math.min(4, wanted),
    wanted,
    draw: (room) => [head, ...around(entries, chosen, room - 1)].slice(0, Math.max(0, room)),
  };
}

interface Entry {
  readonly row: Line;
  readonly why: readonly Line[];
}

function around(entries: readonly Entry[], chosen: number, room: number): readonly Line[] {
  const all = entries.flatMap(({ row, why }) => [row, ...why]);
  if (all.length <= room) return all;
  const whys = (entries[chosen]?.why ?? []).slice(0, Math.max(0, room - 2));
  const kept = Math.max(1, Math.min(entries.length, room - whys.length));
  const shown = kept < entries.length ? Math.max(1, kept - 1) : kept;
  const first = Math.max(0, Math.min(chosen - Math.floor(shown / 2), entries.length - shown));
  const lines = entries
    .slice(first, first + shown)
    .flatMap(({ row }, index) => (first + index === chosen ? [row, ...whys] : [row]));
  const hidden = entries.length - shown;
  return hidden > 0 ? [...lines, [span(`  … ${hidden} more services, ↑↓ to see them`, "dim")]] : lines;
}
