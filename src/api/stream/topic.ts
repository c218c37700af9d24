import type { StreamEvents, StreamTopic } from "../contract/index.ts";
import type { Soon } from "./stream-sources.ts";

/** One message as it is written, shared by all who get it. */
export interface Message {
  readonly text: string;
  /** `seq` of the last event in it, and of the one before its first. */
  readonly events?: { readonly before: number; readonly last: number };
  /** Rows in it, of what is not told again to who missed it. */
  readonly rows?: number;
}

/** One of the things that the stream carries. It is open while somebody wants it. */
export interface Topic {
  readonly name: StreamTopic;
  /** Begins; `changed` is to be called when there may be news before the next look. The returned function ends it. */
  open?(changed: () => void): () => void;
  /** What changed since the last call; `undefined` where nothing did. */
  news(): Soon<Message | undefined>;
  /**
   * What a reader needs who has nothing of it, or lost a part: `after` is the last event it has. Asked after `news` in the
   * same turn.
   */
  whole(after: number | undefined): Soon<Message | undefined>;
}

/** A message of server-sent events; `id` is what a reader resumes after. */
export function messageText<Name extends StreamTopic>(
  name: Name,
  data: StreamEvents[Name],
  id?: number,
): string {
  const mark = id === undefined ? "" : `id: ${id}\n`;
  return `event: ${name}\n${mark}data: ${JSON.stringify(data)}\n\n`;
}
