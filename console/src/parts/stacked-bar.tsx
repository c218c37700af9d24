import { percent } from "./words.ts";

/** One piece of a bar; no two of the same tone have one name. `tone` is a class of its own: `weights`, `kv`, `compute`, `overhead`, `other`, `reserve`, `free`. */
export interface Segment {
  readonly name: string;
  readonly value: number;
  readonly tone: string;
  /** What is shown on pointing; name and share when absent. */
  readonly title?: string;
}

interface StackedBarProps {
  /** What the whole is, for who does not see it: `GPU 0, 96 GiB`. */
  readonly label: string;
  readonly total: number;
  readonly segments: readonly Segment[];
}

/** A whole and its parts, side by side. */
export function StackedBar({ label, total, segments }: StackedBarProps) {
  const parts = segments.filter(({ value }) => value > 0);
  const told = parts.map(({ name, value }) => `${name} ${percent(value / total)}`).join(", ");
  return (
    <div className="stacked-bar" role="img" aria-label={`${label}: ${told}`}>
      {parts.map(({ name, value, tone, title }) => (
        <span
          key={`${tone} ${name}`}
          className={`segment segment-${tone}`}
          style={{ width: `${Math.max(0, Math.min(1, value / total)) * 100}%` }}
          title={title ?? `${name} ${percent(value / total)}`}
        />
      ))}
    </div>
  );
}
