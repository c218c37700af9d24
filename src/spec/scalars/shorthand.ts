import { z } from "zod";

/** A map that may be written short: `expand` says what the short form stands for, so that nothing after the schema sees it. */
export function shorthand<S extends z.ZodType, O extends z.ZodType>(
  short: S,
  long: O,
  expand: (typed: z.output<S>) => z.output<O>,
) {
  return z.union([short.transform((typed): z.output<O> => expand(typed)), long]);
}
