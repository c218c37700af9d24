import type { z } from "zod";

/** One thing that can be asked of a node under `/api`. The key of the table is its method and path: `GET /api/status`. */
export interface Operation {
  readonly summary: string;
  /** Only for keys that may change the node. */
  readonly admin: boolean;
  /** Words that a segment of the path may be, by its name; any text where it is not here. */
  readonly segments?: Readonly<Record<string, readonly string[]>>;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject;
  /** Of the answer where all went well; `stream` is one of server-sent events, described by `events`. */
  readonly answer: z.ZodType;
  /** Status of that answer; 200 when absent. */
  readonly status?: number;
  /** What the stream carries, by the name of the event; the answer is `text/event-stream` then. */
  readonly events?: Readonly<Record<string, z.ZodType>>;
}
