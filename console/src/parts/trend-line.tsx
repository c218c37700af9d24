import { Sparkline } from "./sparkline.tsx";
import type { Dot } from "./sparkline.tsx";

interface TrendLineProps {
  readonly name: string;
  readonly dots: readonly Dot[];
  /** What the top is; the largest value when absent. */
  readonly most?: number;
  readonly say: (value: number) => string;
}

/** How a figure was in the last hour, with the least and the most of it. */
export function TrendLine({ name, dots, most, say }: TrendLineProps) {
  const values = dots.flatMap(({ value }) => (value === undefined ? [] : [value]));
  const now = values.at(-1);
  if (now === undefined) return null;
  const [least, greatest] = [say(Math.min(...values)), say(Math.max(...values))];
  const range = least === greatest ? least : `${least} to ${greatest}`;
  return (
    <div className="trend">
      <span className="trend-name">
        {name} <span className="quiet">{range}</span>
      </span>
      <Sparkline
        label={`${name} in the last hour: ${range}, now ${say(now)}`}
        dots={dots}
        {...(most === undefined ? {} : { most })}
      />
    </div>
  );
}
