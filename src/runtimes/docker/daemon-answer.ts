import { z } from "zod";
import { messageOf } from "../../core/index.ts";

const answer = z.object({
  statusCode: z.number().optional(),
  code: z.string().optional(),
  json: z
    .union([
      z.instanceof(Buffer).transform((text) => text.toString("utf8")),
      z.object({ message: z.string() }).transform(({ message }) => message),
    ])
    .nullish()
    .catch(undefined),
});

/** What Docker said when a call failed; without `status` it said nothing, because it could not be reached. */
export interface DaemonAnswer {
  readonly status?: number;
  /** Of the system: `ENOENT`, `EACCES`, `ECONNREFUSED`. */
  readonly errno?: string;
  readonly words: string;
}

/** Reads anything that the library throws. */
export function daemonAnswer(thrown: unknown): DaemonAnswer {
  const read = answer.safeParse(thrown).data;
  return {
    ...(read?.statusCode === undefined ? {} : { status: read.statusCode }),
    ...(read?.code === undefined ? {} : { errno: read.code }),
    // The library's own prefix: `(HTTP code 404) no such image - …`.
    words: (read?.json ?? messageOf(thrown).replace(/^\(HTTP code \d+\) .*? - /, "")).trim(),
  };
}

/** The engine itself did not answer: it is not running, is restarting, or the way to it is cut. */
export const isSilent = (thrown: unknown): boolean => daemonAnswer(thrown).status === undefined;

/** There is no such container, image or network (any more). */
export const isMissing = (thrown: unknown): boolean => daemonAnswer(thrown).status === 404;
