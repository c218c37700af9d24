import type { BenchSettings, Change, LevelNumbers, RouteNumbers, Spread } from "../../acceptance/index.ts";
import { formatDuration } from "../../core/index.ts";
import type { BenchRow } from "../../store/index.ts";
import { table } from "../terminal.ts";
import type { Terminal } from "../terminal.ts";
import type { BenchResult } from "./bench-rows.ts";
import { memoryText } from "./measured-memory.ts";

export interface BenchReport {
  readonly omni: string;
  readonly url: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly run?: number;
  readonly interrupted?: boolean;
  readonly settings: BenchSettings;
  readonly results: readonly BenchResult[];
}

const NOTHING = "—";

/** The table of all names first, then what each of them is made of. */
export function printBench(report: BenchReport, terminal: Terminal): void {
  const { style, out } = terminal;
  const head = (cells: readonly string[]): string[] => cells.map((cell) => style("dim", cell));
  out(`${style("bold", report.url)}  ${settingsText(report.settings)}`);
  out("");
  out(
    table([
      head([
        "NAME",
        "SERVICE",
        "ENGINE",
        "MODEL",
        "PROMPT EVAL tok/s",
        "GENERATION tok/s",
        "TTFT p50 / p95",
        "MEMORY",
      ]),
      ...report.results.map((result) => summaryRow(result, terminal)),
    ]),
  );
  for (const result of report.results) printResult(result, terminal, head);
  if (report.interrupted === true) out("\nInterrupted: this is what was measured until then.");
  if (report.run !== undefined) out(`\nKept as run ${report.run}; ./omni bench --list shows all.`);
}

const settingsText = ({ rounds, answerTokens }: BenchSettings): string =>
  `median of ${rounds} round${rounds === 1 ? "" : "s"} (lowest to highest), answers of ${answerTokens} tokens, warm-up left out`;

function summaryRow(result: BenchResult, { style }: Terminal): string[] {
  const { numbers, failure, route, service, engine, engineVersion, model } = result;
  const version = engineVersion === "" || engineVersion === "unknown" ? "" : ` ${engineVersion}`;
  const start = [style("bold", route), service, engine === "" ? NOTHING : `${engine}${version}`, model];
  if (numbers === undefined) return [...start, style("red", `not measured: ${failure ?? "no reason"}`)];
  const { generation, prompts } = numbers;
  const best = prompts.toReversed().find(({ speed }) => speed !== undefined);
  const ttft = generation?.ttft;
  return [
    ...start,
    best === undefined ? NOTHING : `${spreadText(best.speed)} at ${Math.round(best.tokens ?? best.aimed)}`,
    numbers.image === undefined
      ? spreadText(generation?.speed)
      : `${formatDuration(numbers.image.median)} an image`,
    ttft === undefined ? NOTHING : `${formatDuration(ttft.p50)} / ${formatDuration(ttft.p95)}`,
    result.memory.flatMap((device) => memoryText(device) ?? []).join("; ") || NOTHING,
  ];
}

type Head = (cells: readonly string[]) => string[];

function printResult({ route, numbers, compared }: BenchResult, terminal: Terminal, head: Head): void {
  if (numbers === undefined) return;
  const { out, style } = terminal;
  out(
    `\n${style("bold", route)}${numbers.warmUp === undefined ? "" : `  first answer after ${formatDuration(numbers.warmUp)}`}`,
  );
  const reading = [...numbers.prompts, ...numbers.long];
  if (reading.length > 0)
    out(table([head(["PROMPT", "tok/s", "BY THE ENGINE", "TTFT"]), ...reading.map(promptRow)]));
  const { generation } = numbers;
  if (generation !== undefined) out(generationText(generation));
  if (numbers.sweep.length > 0)
    out(
      table([
        head(["CLIENTS", "ALL tok/s", "EACH tok/s", "TTFT p50 / p95", "ANSWERED", "ERRORS"]),
        ...numbers.sweep.map(levelRow),
      ]),
    );
  for (const level of numbers.sweep)
    for (const [words, times] of Object.entries(level.errors))
      out(`${level.concurrency} at a time: ${times} × ${words}`);
  for (const note of numbers.notes) out(style("yellow", `note: ${note}`));
  if (compared !== undefined) printChanges(compared, terminal, head);
}

function promptRow({
  aimed,
  tokens,
  share,
  speed,
  engineSpeed,
  ttft,
}: RouteNumbers["prompts"][number]): string[] {
  const size = tokens === undefined ? `about ${aimed}` : String(Math.round(tokens));
  return [
    `${size} tokens${share === undefined ? "" : ` (${Math.round(share * 100)} % of the context)`}`,
    spreadText(speed),
    spreadText(engineSpeed),
    formatDuration(ttft.median),
  ];
}

function generationText({
  speed,
  engineSpeed,
  gap,
  tokens,
  tokensPerEvent,
}: NonNullable<RouteNumbers["generation"]>): string {
  return [
    `generation ${speed === undefined ? "without a speed: no usage" : `${spreadText(speed)} tok/s`}`,
    ...(engineSpeed === undefined ? [] : [`${spreadText(engineSpeed)} by the engine`]),
    ...(gap === undefined
      ? []
      : [`between tokens p50 ${gap.p50.toFixed(1)} ms, p95 ${gap.p95.toFixed(1)} ms`]),
    ...(tokens === undefined ? [] : [`${Math.round(tokens)} tokens an answer`]),
    ...(tokensPerEvent === undefined ? [] : [`${tokensPerEvent.toFixed(1)} tokens an event`]),
  ].join(", ");
}

function levelRow({ concurrency, total, perStream, ttft, answered, cut, errors }: LevelNumbers): string[] {
  const failed = Object.values(errors).reduce((sum, one) => sum + one, 0);
  return [
    String(concurrency),
    total === undefined ? NOTHING : total.toFixed(1),
    spreadText(perStream),
    ttft === undefined ? NOTHING : `${formatDuration(ttft.p50)} / ${formatDuration(ttft.p95)}`,
    `${answered}${cut === 0 ? "" : `, ${cut} given up at the end`}`,
    String(failed),
  ];
}

function printChanges(
  { run, time, changes }: NonNullable<BenchResult["compared"]>,
  { out, style }: Terminal,
  head: Head,
): void {
  if (changes.length === 0) return;
  out(
    table([
      head([`BESIDE RUN ${run} (${dayText(time)})`, "THEN", "NOW", "CHANGE", ""]),
      ...changes.map((change) => {
        const worse = change.percent < 0 !== change.lowerIsBetter;
        const sign = change.percent < 0 ? "" : "+";
        const text = `${sign}${change.percent.toFixed(1)} %`;
        const shown = change.beyondSpread === true ? style(worse ? "red" : "green", text) : text;
        return [change.name, change.before.toFixed(1), change.now.toFixed(1), shown, changeText(change)];
      }),
    ]),
  );
}

const changeText = ({ beyondSpread }: Change): string =>
  beyondSpread === undefined
    ? "one value each: no spread known"
    : beyondSpread
      ? "more than the spread"
      : "within the spread";

/** `10.9 (10.7–11.0)`; the bare number of one value. */
function spreadText(spread: Spread | undefined): string {
  if (spread === undefined) return NOTHING;
  const digits = spread.median < 100 ? 1 : 0;
  const text = spread.median.toFixed(digits);
  return spread.of < 2 ? text : `${text} (${spread.low.toFixed(digits)}–${spread.high.toFixed(digits)})`;
}

const dayText = (time: number): string => new Date(time).toLocaleString("sv-SE").slice(0, 16);

/** The runs that are kept, newest first, a line for each name. */
export function listRuns(rows: readonly BenchRow[], { style }: Terminal): string {
  if (rows.length === 0) return "Nothing was measured yet.";
  return table([
    ["RUN", "TIME", "NAME", "SERVICE", "ENGINE", "MODEL", "CARDS", "GENERATION tok/s"].map((cell) =>
      style("dim", cell),
    ),
    ...rows.map((row) => [
      String(row.run),
      dayText(row.time),
      row.route,
      row.service,
      `${row.engine} ${row.engineVersion}`.trim(),
      row.model,
      row.cards.join(" + "),
      generationOf(row.numbers),
    ]),
  ]);
}

/** Another version of Omni may have written the row. */
function generationOf(numbers: unknown): string {
  const median = ["generation", "speed", "median"].reduce(
    (value: unknown, name) =>
      typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined,
    numbers,
  );
  return typeof median === "number" ? median.toFixed(1) : NOTHING;
}
