import { setMaxListeners } from "node:events";
import type { FetchLike } from "@modelcontextprotocol/client";
import type { Dispatcher } from "undici";

import { formatBytes, OmniError } from "../../core/index.ts";

const NEWLINE = 10;
const RETURN = 13;

/** A fetch whose answers, or events of an event stream, are at most `most` bytes each. */
export function boundedFetch(dispatcher: Dispatcher, most: number): FetchLike {
  // The types of fetch do not know this release's dispatcher; fetch itself does.
  const settings: object = { dispatcher };
  return async (url, init) => {
    // One signal serves all requests of a legacy connection; fetch lets go of them only with the garbage.
    if (init?.signal) setMaxListeners(0, init.signal);
    const response = await fetch(url, { ...init, ...settings });
    const length = response.headers.get("content-length");
    if (response.body === null || (length !== null && Number(length) <= most)) return response;
    const events = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
    const bounded = response.body.pipeThrough(events ? eventBound(most) : totalBound(most));
    const { status, statusText, headers } = response;
    const copy = new Response(bounded, { status, statusText, headers });
    Object.defineProperty(copy, "url", { value: response.url });
    return copy;
  };
}

const tooLong = (most: number): OmniError =>
  new OmniError("mcp.unreachable", `it sent a message of more than ${formatBytes(most)}`);

function totalBound(most: number): TransformStream<Uint8Array, Uint8Array> {
  let size = 0;
  return new TransformStream({
    transform(chunk, controller) {
      size += chunk.length;
      if (size > most) throw tooLong(most);
      controller.enqueue(chunk);
    },
  });
}

/** Counts from one empty line to the next. */
function eventBound(most: number): TransformStream<Uint8Array, Uint8Array> {
  let size = 0;
  let lineIsEmpty = true;
  return new TransformStream({
    transform(chunk, controller) {
      // Only a chunk that could bring the event over the bound is looked at byte by byte.
      if (size + chunk.length > most) {
        for (const byte of chunk) {
          if (byte === NEWLINE || byte === RETURN) {
            if (lineIsEmpty) size = 0;
            lineIsEmpty = true;
          } else lineIsEmpty = false;
          size += 1;
          if (size > most) throw tooLong(most);
        }
      } else {
        const end = lastEventEnd(chunk);
        size = end === -1 ? size + chunk.length : chunk.length - end;
        lineIsEmpty = chunk.at(-1) === NEWLINE;
      }
      controller.enqueue(chunk);
    },
  });
}

function lastEventEnd(chunk: Uint8Array): number {
  for (let at = chunk.length - 1; at > 0; at -= 1) {
    if (chunk[at] !== NEWLINE) continue;
    if (chunk[at - 1] === NEWLINE || (chunk[at - 1] === RETURN && chunk[at - 2] === NEWLINE)) return at + 1;
  }
  return -1;
}
