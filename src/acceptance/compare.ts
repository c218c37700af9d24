import type { RouteNumbers } from "./route-numbers.ts";
import type { Spread } from "./statistics.ts";

/** One figure then and now. */
export interface Change {
  readonly name: string;
  readonly before: number;
  readonly now: number;
  /** Of what it was; more is better unless `lowerIsBetter`. */
  readonly percent: number;
  readonly lowerIsBetter: boolean;
  /** The two ranges do not touch; absent where a side has one value alone, which has no range. */
  readonly beyondSpread?: boolean;
}

interface Figure {
  readonly name: string;
  readonly spread: Spread;
  readonly lowerIsBetter: boolean;
}

const single = (value: number): Spread => ({ median: value, low: value, high: value, of: 1 });

const figure = (name: string, spread: Spread | undefined, lowerIsBetter = false): readonly Figure[] =>
  spread === undefined ? [] : [{ name, spread, lowerIsBetter }];

/** The figures that two runs can be compared by. */
function figuresOf({ prompts, generation, sweep, long, image }: RouteNumbers): readonly Figure[] {
  return [
    ...prompts.flatMap(({ aimed, speed }) => figure(`prompt ${aimed} tok/s`, speed)),
    ...figure("generation tok/s", generation?.speed),
    ...figure("TTFT ms", generation === undefined ? undefined : single(generation.ttft.p50), true),
    ...sweep.flatMap(({ concurrency, total }) =>
      figure(`${concurrency} at a time tok/s`, total === undefined ? undefined : single(total)),
    ),
    ...long.flatMap(({ share = 0, speed }) => figure(`context ${Math.round(share * 100)} % tok/s`, speed)),
    ...figure("image ms", image, true),
  ];
}

/** Every figure that both have, in the order of the newer. */
export function compareNumbers(before: RouteNumbers, now: RouteNumbers): readonly Change[] {
  const old = new Map(figuresOf(before).map((figure) => [figure.name, figure.spread]));
  return figuresOf(now).flatMap(({ name, spread, lowerIsBetter }): Change[] => {
    const was = old.get(name);
    if (was === undefined || was.median === 0) return [];
    return [
      {
        name,
        before: was.median,
        now: spread.median,
        percent: (spread.median / was.median - 1) * 100,
        lowerIsBetter,
        ...(was.of < 2 || spread.of < 2
          ? {}
          : { beyondSpread: spread.low > was.high || spread.high < was.low }),
      },
    ];
  });
}
