import type { JsonObject } from "../dialect.ts";
import { partId } from "../identity.ts";
import type { EventNumbers } from "./event-numbers.ts";
import { deltaHead } from "./event-numbers.ts";
import type { ItemStatus } from "./output-items.ts";
import { messageItem, refusalPart, textPart } from "./output-items.ts";

interface OpenPart {
  readonly kind: "output_text" | "refusal";
  readonly head: string;
  text: string;
}

/** A message of a stream that is still being said: parts of text and refusal, one after the other. */
export class OpenMessage {
  readonly #events: EventNumbers;
  readonly #id: string;
  readonly #index: number;
  readonly #content: JsonObject[] = [];
  #part: OpenPart | undefined;

  constructor(events: EventNumbers, response: string, index: number) {
    this.#events = events;
    this.#id = partId("msg_", response, index);
    this.#index = index;
  }

  begin(): string {
    return this.#events.write("response.output_item.added", {
      output_index: this.#index,
      item: messageItem(this.#id, "in_progress", []),
    });
  }

  text(delta: string): string {
    return this.#say("output_text", delta);
  }

  refusal(delta: string): string {
    return this.#say("refusal", delta);
  }

  end(status: ItemStatus): { readonly said: string; readonly item: JsonObject } {
    const closed = this.#closePart();
    const item = messageItem(this.#id, status, this.#content);
    const done = this.#events.write("response.output_item.done", { output_index: this.#index, item });
    return { said: closed + done, item };
  }

  #say(kind: OpenPart["kind"], delta: string): string {
    const opened = this.#part?.kind === kind ? "" : this.#closePart() + this.#openPart(kind);
    const part = this.#part;
    if (part === undefined) return opened;
    part.text += delta;
    return opened + this.#events.delta(part.head, delta);
  }

  #place(): JsonObject {
    return { item_id: this.#id, output_index: this.#index, content_index: this.#content.length };
  }

  #openPart(kind: OpenPart["kind"]): string {
    const place = this.#place();
    // The official type wants `logprobs` in deltas of text; engines are not asked for any.
    const further = kind === "output_text" ? { ...place, logprobs: [] } : place;
    this.#part = { kind, head: deltaHead(`response.${kind}.delta`, further), text: "" };
    return this.#events.write("response.content_part.added", { ...place, part: partOf(kind, "") });
  }

  #closePart(): string {
    const part = this.#part;
    if (part === undefined) return "";
    this.#part = undefined;
    const place = this.#place();
    const content = partOf(part.kind, part.text);
    const done =
      part.kind === "output_text"
        ? this.#events.write("response.output_text.done", { ...place, text: part.text, logprobs: [] })
        : this.#events.write("response.refusal.done", { ...place, refusal: part.text });
    const closed = this.#events.write("response.content_part.done", { ...place, part: content });
    this.#content.push(content);
    return done + closed;
  }
}

const partOf = (kind: OpenPart["kind"], text: string): JsonObject =>
  kind === "output_text" ? textPart(text) : refusalPart(text);
