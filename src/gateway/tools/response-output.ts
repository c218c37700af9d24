import type { JsonObject } from "../../dialects/dialect.ts";

/** The output of one response as it grows, told event by event with its own places and numbers. */
export class ResponseOutput {
  readonly #send: (event: JsonObject) => void;
  readonly #items: JsonObject[] = [];
  #sequence = 0;

  constructor(send: (event: JsonObject) => void) {
    this.#send = send;
  }

  /** Every item in order, as far as it is known. */
  get items(): readonly JsonObject[] {
    return this.#items;
  }

  /** Sends an event with the next number. */
  tell(type: string, members: JsonObject): void {
    const { type: _, sequence_number: __, ...rest } = members;
    this.#send({ type, sequence_number: this.#sequence++, ...rest });
  }

  /** A new item at the next place, which is returned. */
  add(item: JsonObject): number {
    const output_index = this.#items.push(item) - 1;
    this.tell("response.output_item.added", { output_index, item });
    return output_index;
  }

  /** The item as it is in the end. */
  done(output_index: number, item: JsonObject): void {
    this.#items[output_index] = item;
    this.tell("response.output_item.done", { output_index, item });
  }

  /** A happening of one item. */
  about(type: string, output_index: number, members: JsonObject = {}): void {
    this.tell(type, { ...members, output_index, item_id: this.#items[output_index]?.["id"] });
  }
}
