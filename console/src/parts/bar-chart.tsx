export interface Bar {
  readonly name: string;
  readonly value: number;
  /** What is shown on pointing. */
  readonly title: string;
}

interface BarChartProps {
  /** What it shows and its sum, for who does not see it. */
  readonly label: string;
  /** In order; at most a few hundred. */
  readonly bars: readonly Bar[];
}

const WIDTH = 600;
const HEIGHT = 120;

/** One bar a step, from the oldest to the newest; the names of the first and the last stand below. */
export function BarChart({ label, bars }: BarChartProps) {
  const most = Math.max(1, ...bars.map(({ value }) => value));
  const step = WIDTH / Math.max(1, bars.length);
  return (
    <figure className="bar-chart">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
        {bars.map(({ name, value, title }, index) => {
          const height = value === 0 ? 0 : Math.max(2, (value / most) * HEIGHT);
          return (
            <rect
              key={name}
              x={index * step + step * 0.1}
              y={HEIGHT - height}
              width={step * 0.8}
              height={height}
            >
              <title>{title}</title>
            </rect>
          );
        })}
      </svg>
      <figcaption aria-hidden="true">
        <span>{bars[0]?.name}</span>
        <span>{bars.length > 1 && bars.at(-1)?.name}</span>
      </figcaption>
    </figure>
  );
}
