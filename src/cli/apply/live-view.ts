import { formatDuration } from "../../core/index.ts";
import type { RunEvent } from "../../runbook/index.ts";
import { withoutControl } from "../terminal.ts";
import type { Terminal } from "../terminal.ts";
import { createPace } from "./progress-text.ts";
import type { Pace } from "./progress-text.ts";
import { endedLine } from "./result-view.ts";

/** Milliseconds between two drawings of the block, and between two lines about a step where there is no terminal. */
const REDRAW = 250;
const REPEAT = 30_000;

interface AtWork {
  readonly began: number;
  readonly pace: Pace;
  applying: boolean;
}

/** Shows a run while it is at work. */
export interface LiveView {
  tell(event: RunEvent): void;
  /** Lets somebody be asked without the block in between. */
  around<T>(ask: () => Promise<T>): Promise<T>;
  end(): void;
}

/** A block with a line for each step at work on a terminal; elsewhere a line at each change, and one every 30 seconds. */
export function liveView(terminal: Terminal, draw: (text: string) => void): LiveView {
  const steps = new Map<string, AtWork>();
  let shown = 0;
  let held = false;
  const clear = (): void => {
    if (shown > 0) draw(`\u001B[${shown}A\u001B[0J`);
    shown = 0;
  };
  const redraw = (): void => {
    clear();
    if (held || steps.size === 0) return;
    const lines = [...steps].map(([step, work]) => workLine(step, work).slice(0, terminal.columns - 1));
    draw(`${lines.map((line) => withoutControl(line)).join("\n")}\n`);
    shown = lines.length;
  };
  const print = (line: string): void => {
    if (terminal.interactive) clear();
    terminal.err(line);
    if (terminal.interactive) redraw();
  };
  const timer = terminal.interactive
    ? setInterval(redraw, REDRAW)
    : setInterval(() => {
        for (const [step, work] of steps) terminal.err(workLine(step, work));
      }, REPEAT);
  return {
    tell: (event) => {
      if (event.kind === "begun")
        steps.set(event.step, { began: performance.now(), pace: createPace(), applying: false });
      const work = steps.get(event.step);
      if (event.kind === "progress") work?.pace.add(event.progress, performance.now());
      if (event.kind === "applying" && work !== undefined) work.applying = true;
      if (event.kind === "ended") steps.delete(event.step);
      const line = eventLine(event);
      if (line !== undefined) print(line);
    },
    around: async (ask) => {
      held = true;
      clear();
      try {
        return await ask();
      } finally {
        held = false;
      }
    },
    end: () => {
      clearInterval(timer);
      clear();
    },
  };
}

const workLine = (step: string, { began, pace, applying }: AtWork): string =>
  [
    `${step}: ${applying ? "at work" : "looking"} for ${formatDuration(performance.now() - began)}`,
    pace.text(),
  ]
    .filter((part) => part !== "")
    .join(", ");

function eventLine(event: RunEvent): string | undefined {
  switch (event.kind) {
    case "begun":
    case "progress":
      return undefined;
    case "applying":
      return `${event.step}: begins`;
    case "drift":
      return `${event.step}: drift since ${new Date(event.since).toISOString()}: ${event.missing}`;
    case "changed":
      return `${event.step}: follows from something else than last time`;
    case "retry":
      return `${event.step}: ${event.message}; again in ${formatDuration(event.pause)}`;
    case "consent":
      return `${event.step}: ${event.by} agreed to ${event.consent.token}`;
    case "note":
      return `${event.step}: ${event.text}`;
    case "fallback":
      return `${event.step}: fallback: ${event.text}, because: ${event.reason}`;
    case "ended":
      return endedLine(event.step, event.outcome);
  }
}
