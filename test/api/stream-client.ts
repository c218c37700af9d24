import { createParser } from "eventsource-parser";

/** One message of a stream of the node. */
export interface Told {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: unknown;
}

/** One who reads the stream of a node. */
export interface StreamClient {
  readonly response: Response;
  /** Messages so far, oldest first. */
  readonly told: readonly Told[];
  /** Comments so far: heartbeats. */
  readonly comments: readonly string[];
  /** Whether the node ended it in good order. */
  readonly ended: Promise<boolean>;
  /** Goes away. */
  leave(): void;
}

/** Reads a stream until it ends or `leave`. */
export async function readStream(url: string, headers: Record<string, string> = {}): Promise<StreamClient> {
  const gone = new AbortController();
  const response = await fetch(url, { headers, signal: gone.signal });
  const told: Told[] = [];
  const comments: string[] = [];
  const parser = createParser({
    onEvent: ({ event = "message", id, data }) => void told.push({ event, id, data: JSON.parse(data) }),
    onComment: (comment) => void comments.push(comment),
  });
  const text = response.body?.pipeThrough(new TextDecoderStream());
  const read = async (): Promise<boolean> => {
    for await (const part of text ?? []) parser.feed(part);
    return true;
  };
  return { response, told, comments, ended: read().catch(() => false), leave: () => gone.abort() };
}
