import { compareNumbers } from "../../acceptance/index.ts";
import type { BenchSettings, Change, RouteNumbers } from "../../acceptance/index.ts";
import { OmniError } from "../../core/index.ts";
import type { BenchKey, BenchRow, NewBenchRow } from "../../store/index.ts";
import { VERSION } from "../version.ts";
import type { BenchTarget } from "./bench-targets.ts";
import type { MeasuredEngine } from "./measured-memory.ts";

/** One name with all that came of it: numbers, or why there are none. */
export interface BenchResult extends BenchKey {
  readonly engineVersion: string;
  readonly digest: string;
  readonly memory: MeasuredEngine["memory"];
  readonly numbers?: RouteNumbers;
  readonly failure?: string;
  readonly compared?: {
    readonly run: number;
    readonly time: number;
    readonly engineVersion: string;
    readonly changes: readonly Change[];
  };
}

/** What was measured, named: by the service that answered, else by the address. */
export function benchKey(
  target: BenchTarget,
  origin: string,
  numbers: RouteNumbers | undefined,
  engineOf: (service: BenchTarget["services"][number] | undefined) => MeasuredEngine,
): Omit<BenchResult, "numbers" | "failure" | "compared"> {
  const service = target.services.find(({ name }) => name === numbers?.service) ?? target.services[0];
  const { version, cards, memory } = engineOf(service);
  return {
    route: target.name,
    service: service?.name ?? origin,
    engine: service?.kind ?? service?.engine ?? "",
    model: service?.model ?? target.name,
    engineVersion: version,
    digest: service?.digest ?? "",
    cards,
    memory,
  };
}

/** The row to compare with: of that run or the newest, of the same service, engine, model, cards and name. */
export const rowToCompare = (
  key: BenchKey,
  rows: readonly BenchRow[],
  run: number | undefined,
): BenchRow | undefined =>
  rows.find((row) => (run === undefined || row.run === run) && keyText(row) === keyText(key));

const keyText = ({ service, engine, model, cards, route }: BenchKey): string =>
  JSON.stringify([service, engine, model, cards, route]);

/** A result beside an earlier one; unchanged where there is none, or none that this version reads. */
export function compared(result: BenchResult, row: BenchRow | undefined): BenchResult {
  if (row === undefined || result.numbers === undefined || !isNumbers(row.numbers)) return result;
  const { run, time, engineVersion } = row;
  const changes = compareNumbers(row.numbers, result.numbers);
  return { ...result, compared: { run, time, engineVersion, changes } };
}

/** Rows are Omni's own; another version may have written other members. */
function isNumbers(value: unknown): value is RouteNumbers {
  if (typeof value !== "object" || value === null) return false;
  return ["prompts", "sweep", "long"].every((name) => Array.isArray(Reflect.get(value, name)));
}

export const storedRow = (result: BenchResult, settings: BenchSettings): readonly NewBenchRow[] =>
  result.numbers === undefined
    ? []
    : [
        {
          omniVersion: VERSION,
          digest: result.digest,
          service: result.service,
          engine: result.engine,
          engineVersion: result.engineVersion,
          model: result.model,
          cards: result.cards,
          route: result.route,
          settings,
          numbers: result.numbers,
        },
      ];

/** The run that `--compare` names. Throws OmniError `cli.bad-argument` where none is kept under that number. */
export function namedRun(text: string | undefined, rows: readonly BenchRow[]): number | undefined {
  if (text === undefined) return undefined;
  const run = rows.find((row) => String(row.run) === text)?.run;
  if (run !== undefined) return run;
  throw new OmniError("cli.bad-argument", `No run ${JSON.stringify(text)} is kept.`, {
    hint: "./omni bench --list shows them.",
  });
}
