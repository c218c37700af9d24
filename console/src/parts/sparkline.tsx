export interface Dot {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Absent where nothing was seen: the line is broken there. */
  readonly value: number | undefined;
}

interface SparklineProps {
  /** What it shows and how much it is now, for who does not see it. */
  readonly label: string;
  readonly dots: readonly Dot[];
  /** What the top is; the largest value when absent. */
  readonly most?: number;
}

const WIDTH = 240;
const HEIGHT = 40;

/** A course of values, from the oldest to now; no axes. */
export function Sparkline({ label, dots, most }: SparklineProps) {
  const values = dots.flatMap(({ value }) => (value === undefined ? [] : [value]));
  const top = most ?? Math.max(1e-9, ...values);
  const [from, to] = [dots[0]?.time ?? 0, dots.at(-1)?.time ?? 1];
  // A value alone is of now, which is at the right.
  const x = (time: number): number => (to > from ? (time - from) / (to - from) : 1) * (WIDTH - 2);
  const y = (value: number): number => HEIGHT - 1 - Math.min(1, value / top) * (HEIGHT - 2);
  return (
    <svg
      className="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <path d={pathOf(dots, x, y)} vectorEffect="non-scaling-stroke" />
    </svg>
  );
}

/** A line through the dots that have a value. */
function pathOf(dots: readonly Dot[], x: (time: number) => number, y: (value: number) => number): string {
  let pen = "M";
  return dots
    .flatMap(({ time, value }) => {
      if (value === undefined) {
        pen = "M";
        return [];
      }
      // A line of no length is drawn as a dot, so that one value alone is seen.
      const point = `${pen}${x(time).toFixed(1)} ${y(value).toFixed(1)}h0`;
      pen = "L";
      return [point];
    })
    .join("");
}
