import { z } from "zod";

/** The member of a request's `_meta` that says within how many chats over tools it came about. */
export const DEPTH_META = "omni/depth";

/** Chats that may be within each other: one model may ask another, which may ask none. */
export const MOST_DEPTH = 1;

const DEPTH = z.int().min(0).max(1000);

/** Chats that a request is within; 0 where nothing is said. What is no such number counts as too deep: it was not Omni that said it. */
export function depthOf(meta: Readonly<Record<string, unknown>> | undefined): number {
  const said = meta?.[DEPTH_META];
  if (said === undefined) return 0;
  const read = DEPTH.safeParse(said);
  return read.success ? read.data : Number.MAX_SAFE_INTEGER;
}
