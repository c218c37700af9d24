import type { JsonObject } from "../dialect.ts";
import { partId } from "../identity.ts";
import type { EventNumbers } from "./event-numbers.ts";
import { deltaHead } from "./event-numbers.ts";
import type { ItemStatus } from "./output-items.ts";
import { callItem } from "./output-items.ts";

/** A function call of a stream whose arguments are still coming. */
export class OpenCall {
  readonly #events: EventNumbers;
  readonly #id: string;
  readonly #index: number;
  readonly #call: { readonly id: string; readonly name: string };
  readonly #head: string;
  #arguments = "";

  constructor(events: EventNumbers, response: string, index: number, id: string, name: string) {
    this.#events = events;
    this.#id = partId("fc_", response, index);
    this.#index = index;
    this.#call = { id, name };
    this.#head = deltaHead("response.function_call_arguments.delta", {
      item_id: this.#id,
      output_index: index,
    });
  }

  begin(): string {
    return this.#events.write("response.output_item.added", {
      output_index: this.#index,
      item: callItem(this.#id, "in_progress", { ...this.#call, arguments: "" }),
    });
  }

  arguments(delta: string): string {
    this.#arguments += delta;
    return this.#events.delta(this.#head, delta);
  }

  end(status: ItemStatus): { readonly said: string; readonly item: JsonObject } {
    const item = callItem(this.#id, status, { ...this.#call, arguments: this.#arguments });
    const place = { item_id: this.#id, output_index: this.#index };
    const said =
      this.#events.write("response.function_call_arguments.done", {
        ...place,
        name: this.#call.name,
        arguments: this.#arguments,
      }) + this.#events.write("response.output_item.done", { output_index: this.#index, item });
    return { said, item };
  }
}
