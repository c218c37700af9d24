import type { JsonObject } from "../dialect.ts";
import { sseEvent } from "../sse-event.ts";

/** Numbers the events of one response, as the dialect wants them. */
export class EventNumbers {
  #next = 0;

  /** The number that the next event gets. */
  get next(): number {
    return this.#next;
  }

  /** One event as wire text. */
  write(type: string, members: JsonObject): string {
    return sseEvent(JSON.stringify({ type, sequence_number: this.#next++, ...members }), type);
  }

  /** The head of delta events of one type and place, made once: `delta` only adds its number and its text. */
  delta(head: string, text: string): string {
    return `${head}${JSON.stringify(text)},"sequence_number":${this.#next++}}\n\n`;
  }
}

/** What `EventNumbers.delta` begins with. */
export const deltaHead = (type: string, place: JsonObject): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...place }).slice(0, -1)},"delta":`;
