import type { ServerResponse } from "node:http";

import type { StreamTopic } from "../contract/index.ts";
import type { Message, Topic } from "./topic.ts";
import { messageText } from "./topic.ts";

/** One who reads the stream. What it cannot take in is not kept for it: it is told anew, or how much was left out. */
export class StreamReader {
  readonly wants: readonly Topic[];
  /** The topics, as one word: who wants the same gets the same text. */
  readonly group: string;
  readonly #res: ServerResponse;
  /** Topics that it has nothing of, or lost a part of. */
  readonly #owed: Set<StreamTopic>;
  /** `seq` of the last event that it has. */
  #after: number | undefined;
  /** Rows of requests that it never saw. */
  #missed = 0;
  #blocked = false;

  constructor(res: ServerResponse, wants: readonly Topic[], after: number | undefined, resumed: () => void) {
    this.#res = res;
    this.wants = wants;
    this.group = wants.map(({ name }) => name).join();
    this.#after = after;
    this.#owed = new Set(wants.map(({ name }) => name));
    res.on("drain", () => {
      this.#blocked = false;
      resumed();
    });
  }

  /** Whether it has everything that was told before `news`, so that it needs no more than these. */
  isInStep(news: ReadonlyMap<StreamTopic, Message>): boolean {
    const before = news.get("events")?.events?.before;
    const follows = before === undefined || before === this.#after;
    return !this.#blocked && this.#owed.size === 0 && this.#missed === 0 && follows;
  }

  /** Takes in what all who are in step get; `bytes` holds the messages of its group. */
  takeShared(bytes: Buffer, news: ReadonlyMap<StreamTopic, Message>): void {
    this.#after = news.get("events")?.events?.last ?? this.#after;
    this.#write(bytes);
  }

  /** Takes in news as it can, and what it is owed. */
  async take(news: ReadonlyMap<StreamTopic, Message>): Promise<void> {
    if (this.#blocked) {
      this.#lose(news);
      return;
    }
    const parts: string[] = [];
    for (const topic of this.wants) {
      const message = this.#owes(topic, news) ? await topic.whole(this.#after) : news.get(topic.name);
      this.#after = message?.events?.last ?? this.#after;
      parts.push(message?.text ?? "");
    }
    this.#owed.clear();
    if (this.#missed > 0) parts.push(messageText("requests", { requests: [], skipped: this.#missed }));
    this.#missed = 0;
    this.#write(parts.join(""));
  }

  beat(): void {
    if (!this.#blocked) this.#write(": still here\n\n");
  }

  end(): void {
    this.#res.end();
  }

  #owes({ name }: Topic, news: ReadonlyMap<StreamTopic, Message>): boolean {
    // Rows of requests are told once: who came late has those of this turn.
    if (name === "requests") return false;
    const before = news.get(name)?.events?.before;
    return this.#owed.has(name) || (before !== undefined && before !== this.#after);
  }

  #lose(news: ReadonlyMap<StreamTopic, Message>): void {
    for (const { name } of this.wants) {
      const message = news.get(name);
      if (message?.rows !== undefined) this.#missed += message.rows;
      else if (message !== undefined) this.#owed.add(name);
    }
  }

  #write(said: string | Buffer): void {
    if (said.length === 0 || this.#res.destroyed || this.#res.writableEnded) return;
    this.#blocked = !this.#res.write(said);
  }
}
