import type { IncomingHttpHeaders } from "node:http";

import type { Dialect, JsonObject } from "../dialects/dialect.ts";
import type { Span } from "./top-level-scan.ts";

/** What is asked for beside text: paths whose bodies are JSON with a `model` and whose answers are one piece. */
export type Operation = Dialect | "embeddings" | "rerank" | "score" | "moderations" | "speech" | "other";

/** A request as routing and engines need it, of which only what was needed has been read. */
export interface Ask {
  readonly id: string;
  readonly operation: Operation;
  /** Path of the engine's API that the client asked for, `/v1/chat/completions`. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly model: string | undefined;
  readonly stream: boolean;
  /** Where the values of top-level members lie in `bytes`; only those of `WANTED` in routed-body.ts. */
  readonly spans: ReadonlyMap<string, Span>;
  /** The whole body, parsed when it is first asked for and then kept. Throws SyntaxError. */
  json(): JsonObject;
  /** The value of a top-level member of `spans`, `undefined` when it is not there. */
  member(name: string): unknown;
  readonly contentType: string;
  /** True where it is known that no value below the outermost object names a picture. */
  readonly pictureless?: boolean;
  /**
   * The body for an engine that knows the model as `alias`: the same bytes with only that name replaced and, for
   * `counted`, the wish added that the stream tells its usage.
   */
  bodyFor(alias: string, counted: boolean): Buffer;
}
