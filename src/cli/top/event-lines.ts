import { clip, columnsOf, oneLine, pad } from "./cells.ts";
import { clockText } from "./header-lines.ts";
import type { Line } from "./line.ts";
import { span } from "./line.ts";
import type { Section } from "./section.ts";
import type { TopModel } from "./top-model.ts";

type NodeEvent = TopModel["events"][number];

const COLOURS = { info: "cyan", warning: "yellow", error: "red" } as const;
const KIND = 22;

/** `02:14:07  service.ready  oracle is ready.`; its message in as many lines as it needs where `whole`. */
function eventLines(event: NodeEvent, width: number, whole = false): readonly Line[] {
  const { time, kind, severity, message } = event;
  const before: Line = [
    span(`${clockText(time)}  `, "dim"),
    span(`${pad(oneLine(kind), width >= 60 ? KIND : 12)} `, COLOURS[severity]),
  ];
  const indent = before.reduce((sum, { text }) => sum + columnsOf(text), 0);
  const room = Math.max(10, width - indent);
  const [first = "", ...more] = whole ? wrapped(message, room) : [clip(oneLine(message), room)];
  return [[...before, span(first)], ...more.map((text): Line => [span(" ".repeat(indent) + text)])];
}

/** The newest events, oldest first, scrolled back by `back` lines; they take all the room that there is. */
export function eventsSection(
  events: TopModel["events"],
  width: number,
  { back = 0, whole = false }: { readonly back?: number; readonly whole?: boolean } = {},
): Section {
  const head: Line = [span(events.length === 0 ? "EVENTS  none yet" : "EVENTS", "dim")];
  return {
    least: 3,
    wanted: Number.MAX_SAFE_INTEGER,
    draw: (room) => {
      if (room < 1) return [];
      const seen = whole ? events : events.slice(-(room + back));
      const lines = seen.flatMap((event) => eventLines(event, width, whole));
      const end = Math.max(Math.min(lines.length, room - 1), lines.length - back);
      return [head, ...lines.slice(Math.max(0, end - room + 1), end)];
    },
  };
}

/** Text in lines of at most `width` columns (two or more), broken at blanks where there are some. */
export function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let rest = oneLine(text);
  while (columnsOf(rest) > width) {
    const most = clip(rest, width + 1).slice(0, -1);
    const blank = most.lastIndexOf(" ");
    const line = blank > width / 2 ? most.slice(0, blank) : most;
    lines.push(line);
    rest = rest.slice(line.length).trimStart();
  }
  return [...lines, rest];
}
