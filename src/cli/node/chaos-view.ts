import { formatDuration } from "../../core/index.ts";
import type { ScenarioResult } from "../../chaos/index.ts";
import type { Terminal } from "../terminal.ts";

export const RESULT_HEAD = [
  "FAULT",
  "STRUCK",
  "NOTICED",
  "ROUTED AROUND",
  "RECOVERED",
  "ANSWERED",
  "CUT",
  "LOST",
  "TRUNCATED",
  "",
] as const;

const time = (ms: number | undefined): string => (ms === undefined ? "–" : formatDuration(Math.max(0, ms)));

/** One fault as a row of the table. Cut answers ended with an error that the client sees; lost ones never began. */
export function resultRow(result: ScenarioResult, { style }: Terminal): readonly string[] {
  const { scenario, victim, clients, skipped, failures } = result;
  if (skipped !== undefined)
    return [
      style("bold", scenario),
      victim,
      ...Array.from({ length: 7 }, () => ""),
      style("dim", `skipped: ${skipped}`),
    ];
  return [
    style("bold", scenario),
    victim,
    time(result.detected),
    time(result.routedAround),
    time(result.recovered),
    String(clients.answered),
    String(clients.cut),
    String(result.lost),
    String(clients.truncated),
    failures.length === 0 ? style("green", "ok") : style("red", failures.join("; ")),
  ];
}

/** One fault in a line, for who waits for the table. */
export function resultLine({ skipped, failures, detected, recovered }: ScenarioResult): string {
  if (skipped !== undefined) return `skipped: ${skipped}`;
  const outcome = failures.length === 0 ? "ok" : failures.join("; ");
  return `${outcome} (noticed after ${time(detected)}, recovered after ${time(recovered)})`;
}

/** What happened after a fault that was not come through. */
export const resultStory = ({ scenario, story }: ScenarioResult): readonly string[] => [
  "",
  `${scenario}: what the node said`,
  ...story.map(({ at, kind, message }) => `  ${time(at).padStart(8)}  ${kind}  ${message}`),
];
