import type { JsonObject } from "../../dialects/dialect.ts";
import type { Said, StreamJoiner } from "./continuation.ts";
import { asList, asObject, asText, isGiven, parseObject } from "./fields.ts";
import type { TokenSplit } from "./joined-usage.ts";
import { joinedUsage } from "./joined-usage.ts";
import { Overlap } from "./overlap.ts";

export interface JoinerOptions {
  readonly said: Said;
  /** End of the text that the next engine must say again. */
  readonly overlap: string;
  /** Where `reached` is a number, only the end is missing. */
  readonly tokens: TokenSplit;
  /** Usage goes to the client; otherwise it is left out. */
  readonly usageWanted: boolean;
}

/** No engine generates so many tokens in one step: an event that repeats more is an echo of the prefill, not an answer. */
const MOST_TOKENS_AT_ONCE = 32;

/** Joins a stream of chat completions or completions to what was said before. */
export class ChunkJoiner implements StreamJoiner {
  refused: string | undefined;
  readonly #options: JoinerOptions;
  readonly #chat: boolean;
  readonly #overlap: Overlap;
  /** Something of the new stream went out, or would have. */
  #begun = false;

  constructor(lane: "chat" | "completions", options: JoinerOptions) {
    this.#chat = lane === "chat";
    this.#options = options;
    this.#overlap = new Overlap(options.overlap);
  }

  event(data: string): string {
    if (this.refused !== undefined) return "";
    if (data === "[DONE]") return "data: [DONE]\n\n";
    const chunk = parseObject(data);
    // An error of the engine is the caller's to judge.
    if (chunk === undefined || isGiven(chunk["error"])) return `data: ${data}\n\n`;
    const choices = asList(chunk["choices"]).map((choice) => this.#choice(asObject(choice) ?? {}));
    if (this.refused !== undefined) return "";
    const says = choices.some((choice) => choice !== undefined);
    const usage = asObject(chunk["usage"]);
    if (!says && (usage === undefined || !this.#options.usageWanted)) return "";
    const { usage: _, ...rest } = chunk;
    const joined = {
      ...rest,
      ...this.#identity(),
      choices: choices.filter((choice) => choice !== undefined),
      ...(this.#options.usageWanted && "usage" in chunk
        ? { usage: usage === undefined ? null : joinedUsage(usage, this.#options.tokens) }
        : {}),
    };
    return `data: ${JSON.stringify(joined)}\n\n`;
  }

  end(): string {
    return "";
  }

  #identity(): JsonObject {
    const { id, created, model } = this.#options.said;
    return id === "" ? {} : { id, created, model };
  }

  /** The choice as the client is to see it; `undefined` when it has nothing new. */
  #choice(choice: JsonObject): JsonObject | undefined {
    const exhausted = this.#options.tokens.reached !== undefined;
    const finish = choice["finish_reason"];
    const joined: Record<string, unknown> = { ...choice };
    let says = isGiven(finish);
    if (exhausted && says) joined["finish_reason"] = "length";
    if (this.#chat) {
      const delta = this.#delta(asObject(choice["delta"]) ?? {});
      joined["delta"] = exhausted ? {} : delta;
      says ||= !exhausted && Object.keys(delta).length > 0;
    } else {
      const text = exhausted ? "" : this.#text(asText(choice["text"]));
      joined["text"] = text;
      says ||= text !== "";
    }
    if (says && this.refused === undefined) this.#whenFinished(isGiven(finish));
    return says ? joined : undefined;
  }

  /** An answer that ends before it has said again what was said: white space at its end changes nothing, words do. */
  #whenFinished(finished: boolean): void {
    const { overlap } = this.#options;
    if (finished && this.#overlap.open && overlap.trim() !== "") this.refused = REPEATS_ELSE;
    this.#begun = true;
  }

  /** A delta without what the client has; empty when nothing is left. */
  #delta({ role, content, ...rest }: JsonObject): JsonObject {
    const { said } = this.#options;
    const text = this.#text(asText(content));
    const others = Object.fromEntries(Object.entries(rest).filter(([key, value]) => this.#isNew(key, value)));
    return {
      ...(isGiven(role) && said.id === "" ? { role } : {}),
      ...(text === "" ? {} : { content: text }),
      ...others,
    };
  }

  #isNew(key: string, value: unknown): boolean {
    if (!isGiven(value) || value === "" || (Array.isArray(value) && value.length === 0)) return false;
    if (key !== "reasoning_content" && key !== "reasoning") return true;
    if (this.#begun || this.#options.said.text === "")
      return !this.#echoes(value, this.#options.said.reasoning);
    // Behind the text that the client has no thinking can come: either the engine began anew, or it takes text for thinking.
    if (asText(value).trim() !== "") this.refused = "it thinks anew where text was to go on";
    return false;
  }

  #text(text: string): string {
    if (text === "") return "";
    const { said } = this.#options;
    const fresh = this.#echoes(text, said.text) ? text.slice(said.text.length) : this.#overlap.take(text);
    if (fresh === undefined) this.refused = REPEATS_ELSE;
    return fresh ?? "";
  }

  /** The first event that has text repeats the prefill in one piece, as llama-server does when it is not told to go on. */
  #echoes(value: unknown, before: string): boolean {
    return (
      !this.#begun &&
      this.#options.said.deltas > MOST_TOKENS_AT_ONCE &&
      before !== "" &&
      asText(value).startsWith(before)
    );
  }
}

const REPEATS_ELSE = "it does not go on from the end of what was said";
