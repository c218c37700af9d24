import type { JsonObject } from "../../dialects/dialect.ts";
import type { JoinerOptions } from "./chunk-joiner.ts";
import type { StreamJoiner } from "./continuation.ts";
import { asCount, asObject, asText, isGiven, parseObject } from "./fields.ts";
import { answerOf, promptOf } from "./joined-usage.ts";
import { Overlap } from "./overlap.ts";

/** Joins a stream of Anthropic's messages: one message, whose last text block goes on where it was cut. */
export class MessageJoiner implements StreamJoiner {
  refused: string | undefined;
  readonly #options: JoinerOptions;
  readonly #overlap: Overlap;
  /** The client has a block that has not ended. */
  #open: boolean;
  /** What is added to the indices of the new stream's blocks, once its first block has begun. */
  #shift: number | undefined;

  constructor(options: JoinerOptions) {
    this.#options = options;
    this.#overlap = new Overlap(options.overlap);
    this.#open = options.said.block?.open === true;
  }

  /** The limit was reached before the cut: only the end is missing. */
  get #exhausted(): boolean {
    return this.#options.tokens.reached !== undefined;
  }

  event(data: string, name?: string): string {
    if (this.refused !== undefined) return "";
    const event = parseObject(data);
    if (event === undefined) return wire(name, data);
    switch (event["type"]) {
      case "message_start":
        return this.#options.said.id === "" ? wire(name, data) : "";
      case "content_block_start":
        return this.#start(event);
      case "content_block_delta":
        return this.#delta(event);
      case "content_block_stop":
        this.#open = false;
        return this.#exhausted && this.#shift === undefined ? "" : send(this.#shifted(event));
      case "message_delta":
        return this.#closed() + send(this.#ended(event));
      default:
        return wire(name, data);
    }
  }

  end(): string {
    return "";
  }

  #start(event: JsonObject): string {
    const { said } = this.#options;
    const type = asObject(event["content_block"])?.["type"];
    if (this.#exhausted) {
      this.#shift ??= said.block?.index ?? 0;
      return "";
    }
    if (this.#shift !== undefined) {
      this.#open = true;
      return send(this.#shifted(event));
    }
    const { block } = said;
    if (block === undefined) this.#shift = 0;
    else if (this.#open && block.type === type) {
      this.#shift = block.index;
      return "";
    } else if (said.text !== "" && (type === "thinking" || type === "redacted_thinking")) {
      this.refused = "it thinks anew where text was to go on";
      return "";
    } else {
      const closed = this.#closed();
      this.#shift = block.index + 1;
      this.#open = true;
      return closed + send(this.#shifted(event));
    }
    this.#open = true;
    return send(event);
  }

  #delta(event: JsonObject): string {
    if (this.#exhausted) return "";
    const delta = asObject(event["delta"]) ?? {};
    if (delta["type"] !== "text_delta") return send(this.#shifted(event));
    const text = this.#overlap.take(asText(delta["text"]));
    if (text === undefined) this.refused = "it does not go on from the end of what was said";
    return text === undefined || text === ""
      ? ""
      : send({ ...this.#shifted(event), delta: { ...delta, text } });
  }

  /** The end of a block that the client has open and the new stream does not end. */
  #closed(): string {
    const { block } = this.#options.said;
    if (!this.#open || block === undefined || this.#shift !== undefined) return "";
    this.#open = false;
    return send({ type: "content_block_stop", index: block.index });
  }

  #ended(event: JsonObject): JsonObject {
    const { tokens } = this.#options;
    const usage = asObject(event["usage"]);
    const delta = asObject(event["delta"]) ?? {};
    const input = asCount(usage?.["input_tokens"]);
    return {
      ...event,
      ...(this.#exhausted && isGiven(delta["stop_reason"])
        ? { delta: { ...delta, stop_reason: "max_tokens", stop_sequence: null } }
        : {}),
      ...(usage === undefined
        ? {}
        : {
            usage: {
              ...usage,
              ...(input === undefined ? {} : { input_tokens: promptOf(input, tokens) }),
              output_tokens: answerOf(asCount(usage["output_tokens"]) ?? 0, tokens),
            },
          }),
    };
  }

  #shifted(event: JsonObject): JsonObject {
    return { ...event, index: (asCount(event["index"]) ?? 0) + (this.#shift ?? 0) };
  }
}

const wire = (name: string | undefined, data: string): string =>
  `${name === undefined ? "" : `event: ${name}\n`}data: ${data}\n\n`;

const send = (event: JsonObject): string => wire(asText(event["type"]), JSON.stringify(event));
