import type { Spread } from "./spread.ts";

interface HistogramProps {
  /** What is counted, for who does not see it. */
  readonly label: string;
  readonly spread: Spread;
  /** A value as it is written. */
  readonly write: (value: number) => string;
}

const HEIGHT = 40;
const WIDTH = 12;

/** How many values lie in each range, from the small ones to the large. */
export function Histogram({ label, spread: { ranges, p50, p95 }, write }: HistogramProps) {
  const most = Math.max(1, ...ranges.map(({ count }) => count));
  return (
    <svg
      className="histogram"
      viewBox={`0 0 ${ranges.length * WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${label}: half within ${write(p50)}, 95 of 100 within ${write(p95)}`}
    >
      {ranges.map(({ from, to, count }, index) => {
        // What was seen at all is seen here, too.
        const height = count === 0 ? 0 : Math.max(1, (count / most) * HEIGHT);
        return (
          <rect key={from} x={index * WIDTH} y={HEIGHT - height} width={WIDTH - 1} height={height}>
            <title>{`${write(from)} to ${write(to)}: ${count}`}</title>
          </rect>
        );
      })}
    </svg>
  );
}
