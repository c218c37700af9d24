import { formatBytes, formatCount, formatDuration } from "../../core/index.ts";
import type { StepProgress } from "../../runbook/index.ts";

/** Milliseconds that a rate is taken over. */
const WINDOW = 10_000;

interface Sample {
  readonly at: number;
  readonly done: number;
}

/** How far one step is, with rate and time left from its own history. Times are milliseconds of one clock. */
export interface Pace {
  add(progress: StepProgress, at: number): void;
  text(): string;
}

export function createPace(): Pace {
  let samples: readonly Sample[] = [];
  let last: StepProgress | undefined;
  return {
    add: (progress, at) => {
      // Whoever begins again (another file, another attempt) has another rate.
      const kept =
        progress.done < (last?.done ?? 0) ? [] : samples.filter((sample) => at - sample.at <= WINDOW);
      samples = [...kept, { at, done: progress.done }];
      last = progress;
    },
    text: () => (last === undefined ? "" : progressText(last, rateOf(samples))),
  };
}

/** Units a second, or `undefined` where too little is known. */
function rateOf(samples: readonly Sample[]): number | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || last.at - first.at < 500) return undefined;
  return ((last.done - first.done) * 1000) / (last.at - first.at);
}

function progressText({ done, total, unit, text }: StepProgress, rate: number | undefined): string {
  const amount = (value: number): string =>
    unit === "bytes"
      ? formatBytes(value)
      : unit === "seconds"
        ? formatDuration(value * 1000)
        : formatCount(value);
  const share = total === undefined || total === 0 ? "" : ` (${Math.floor((done / total) * 100)} %)`;
  const of = total === undefined ? amount(done) : `${amount(done)} of ${amount(total)}${share}`;
  const moves = rate !== undefined && rate > 0 && unit !== "seconds";
  const left = moves && total !== undefined ? (total - done) / rate : undefined;
  return [
    ...(text === undefined ? [] : [text]),
    of,
    ...(moves ? [unit === "bytes" ? `${formatBytes(rate)}/s` : `${rate.toFixed(1)}/s`] : []),
    ...(left === undefined ? [] : [`${formatDuration(left * 1000)} left`]),
  ].join(", ");
}
