import { createParser } from "eventsource-parser";
import type { EventSourceMessage } from "eventsource-parser";
import { apiErrorOf } from "../api/api-error.ts";
import { send } from "../api/ask.ts";

/**
 * Reads a stream of server-sent events until it ends or `signal` aborts. `EventSource` cannot show a key, so it is read by
 * `fetch`. Rejects with `ApiError` where the answer is no stream.
 */
export async function readStream(
  path: string,
  options: { readonly signal: AbortSignal; readonly lastId?: string; readonly opened: () => void },
  onMessage: (message: EventSourceMessage) => void,
): Promise<void> {
  const response = await send(path, {
    signal: options.signal,
    headers: {
      accept: "text/event-stream",
      ...(options.lastId === undefined ? {} : { "last-event-id": options.lastId }),
    },
  });
  if (!response.ok || response.body === null) throw await apiErrorOf(response);
  options.opened();
  const parser = createParser({ onEvent: onMessage });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    parser.feed(value);
  }
}
