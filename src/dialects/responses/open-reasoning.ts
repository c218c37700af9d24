import type { JsonObject } from "../dialect.ts";
import { partId } from "../identity.ts";
import type { EventNumbers } from "./event-numbers.ts";
import { deltaHead } from "./event-numbers.ts";
import type { ItemStatus, ReasoningPlace } from "./output-items.ts";
import { reasoningItem } from "./output-items.ts";

/** The names of the events that tell a thought, by where it is told. */
const NAMES = {
  content: {
    added: "response.content_part.added",
    delta: "response.reasoning_text.delta",
    done: "response.reasoning_text.done",
    closed: "response.content_part.done",
    part: "reasoning_text",
    index: "content_index",
  },
  summary: {
    added: "response.reasoning_summary_part.added",
    delta: "response.reasoning_summary_text.delta",
    done: "response.reasoning_summary_text.done",
    closed: "response.reasoning_summary_part.done",
    part: "summary_text",
    index: "summary_index",
  },
} as const satisfies Record<ReasoningPlace, Record<string, string>>;

/** A thought of a stream that is still being thought. */
export class OpenReasoning {
  /** What goes back to the engine with it. */
  encrypted: string | undefined;
  readonly #events: EventNumbers;
  readonly #id: string;
  readonly #index: number;
  readonly #place: ReasoningPlace;
  readonly #where: JsonObject;
  readonly #head: string;
  #text = "";

  constructor(events: EventNumbers, response: string, index: number, place: ReasoningPlace) {
    this.#events = events;
    this.#id = partId("rs_", response, index);
    this.#index = index;
    this.#place = place;
    this.#where = { item_id: this.#id, output_index: index, [NAMES[place].index]: 0 };
    this.#head = deltaHead(NAMES[place].delta, this.#where);
  }

  begin(): string {
    return this.#events.write("response.output_item.added", {
      output_index: this.#index,
      item: reasoningItem(this.#id, "in_progress", this.#place, "", undefined),
    });
  }

  text(delta: string): string {
    const names = NAMES[this.#place];
    const opened =
      this.#text === ""
        ? this.#events.write(names.added, { ...this.#where, part: { type: names.part, text: "" } })
        : "";
    this.#text += delta;
    return opened + this.#events.delta(this.#head, delta);
  }

  end(status: ItemStatus): { readonly said: string; readonly item: JsonObject } {
    const names = NAMES[this.#place];
    const text = this.#text;
    const told =
      text === ""
        ? ""
        : this.#events.write(names.done, { ...this.#where, text }) +
          this.#events.write(names.closed, { ...this.#where, part: { type: names.part, text } });
    const item = reasoningItem(this.#id, status, this.#place, text, this.encrypted);
    const done = this.#events.write("response.output_item.done", { output_index: this.#index, item });
    return { said: told + done, item };
  }
}
