import { SseReader } from "../../dialects/sse-reader.ts";
import type { SseEvent } from "../../dialects/sse-reader.ts";

/** Messages of a stream of server-sent events as they come. Every piece of it, comments too, is told to `alive`. */
export async function* sseEvents(
  body: AsyncIterable<Uint8Array>,
  alive: () => void,
): AsyncGenerator<SseEvent> {
  const reader = new SseReader();
  for await (const piece of body) {
    alive();
    yield* reader.push(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
  }
}
