import type { StreamedCall } from "../../gateway/call.ts";
import { badRequest, sendError } from "../../gateway/wire-error.ts";
import { OPERATIONS, STREAM_EVENTS } from "../contract/index.ts";
import type { StreamTopic } from "../contract/index.ts";
import { withQuery } from "../endpoints/with-query.ts";
import { eventTopic } from "./event-topic.ts";
import { hardwareTopic, servicesTopic, statusTopic } from "./node-topics.ts";
import { openTopic, requestTopic, runTopic } from "./request-topics.ts";
import { StreamReader } from "./stream-reader.ts";
import type { StreamSources } from "./stream-sources.ts";
import type { Message, Topic } from "./topic.ts";

/** Milliseconds that changes wait for each other. */
const GATHER = 250;
/** Milliseconds between two looks at what tells of no change by itself. */
const LOOK = 1000;
/** Milliseconds after which a reader whose connection was cut is to come back. */
const RETRY = 1000;

export interface NodeStream {
  /** `GET /api/stream`: everything that changes, in the topics that are asked for. */
  follow(call: StreamedCall): void;
  /** Ends every reader's stream in good order. */
  close(): void;
}

/**
 * The one stream of a node: it looks and writes once for all who read, and does nothing at all while nobody does.
 * `heartbeat` in milliseconds.
 */
export const createNodeStream = (sources: StreamSources, heartbeat: number): NodeStream =>
  new SharedStream(sources, heartbeat);

class SharedStream implements NodeStream {
  readonly #topics: readonly Topic[];
  readonly #heartbeat: number;
  readonly #readers = new Set<StreamReader>();
  /** Topics that are open, with what ends them. */
  readonly #opened = new Map<Topic, () => void>();
  /** Those that may have news before the next look. */
  readonly #changed = new Set<Topic>();
  #gathering: NodeJS.Timeout | undefined;
  #timers: readonly NodeJS.Timeout[] = [];
  #turn: Promise<void> | undefined;

  constructor(sources: StreamSources, heartbeat: number) {
    this.#heartbeat = heartbeat;
    this.#topics = [
      statusTopic,
      servicesTopic,
      hardwareTopic,
      eventTopic,
      requestTopic,
      openTopic,
      runTopic,
    ].map((make) => make(sources));
  }

  follow(call: StreamedCall): void {
    withQuery(call, OPERATIONS["GET /api/stream"].query, ({ topics, after }) => {
      const wants = this.#wanted(topics);
      if (wants.length > 0) this.#follow(call, wants, after);
      else
        sendError(
          call,
          badRequest("invalid_topics", `topics are of ${TOPICS}, with commas between.`, "topics"),
        );
    });
  }

  close(): void {
    for (const reader of this.#readers) reader.end();
  }

  /** The topics by name, all when none is named; none where a name is unknown. */
  #wanted(names: string | undefined): readonly Topic[] {
    if (names === undefined) return this.#topics;
    const asked = names.split(",").map((name) => name.trim());
    const found = this.#topics.filter(({ name }) => asked.includes(name));
    return found.length === new Set(asked).size ? found : [];
  }

  #follow({ res, req, headers }: StreamedCall, wants: readonly Topic[], asked: number | undefined): void {
    res.writeHead(200, [
      "content-type",
      "text/event-stream; charset=utf-8",
      "cache-control",
      "no-store",
      ...headers,
    ]);
    if (req.method === "HEAD") {
      res.end();
      return;
    }
    res.write(`retry: ${RETRY}\n\n`);
    const last = req.headers["last-event-id"];
    const after = typeof last === "string" && /^\d{1,15}$/.test(last) ? Number(last) : asked;
    const reader = new StreamReader(res, wants, after, () => this.#soon(0));
    this.#join(reader);
    res.once("close", () => this.#leave(reader));
  }

  #join(reader: StreamReader): void {
    this.#readers.add(reader);
    for (const topic of reader.wants) {
      if (this.#opened.has(topic)) continue;
      this.#changed.add(topic);
      const changed = (): void => {
        this.#changed.add(topic);
        this.#soon(GATHER);
      };
      this.#opened.set(topic, topic.open?.(changed) ?? (() => {}));
    }
    if (this.#timers.length === 0) {
      const beat = (): void => {
        for (const one of this.#readers) one.beat();
      };
      this.#timers = [setInterval(() => this.#look(), LOOK), setInterval(beat, this.#heartbeat)];
    }
    this.#soon(0);
  }

  #leave(reader: StreamReader): void {
    this.#readers.delete(reader);
    for (const [topic, end] of this.#opened) {
      if ([...this.#readers].some(({ wants }) => wants.includes(topic))) continue;
      this.#opened.delete(topic);
      this.#changed.delete(topic);
      end();
    }
    if (this.#readers.size > 0) return;
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
  }

  #look(): void {
    for (const topic of this.#opened.keys()) this.#changed.add(topic);
    this.#soon(0);
  }

  /** A turn within `time` milliseconds, one for all that changes until then. */
  #soon(time: number): void {
    if (time === 0) {
      clearTimeout(this.#gathering);
      this.#gathering = setTimeout(() => this.#begin(), 0);
    } else this.#gathering ??= setTimeout(() => this.#begin(), time);
  }

  /** One turn at a time: what changes meanwhile is in the next. */
  #begin(): void {
    this.#gathering = undefined;
    if (this.#turn !== undefined) {
      this.#soon(GATHER);
      return;
    }
    this.#turn = this.#tell()
      .catch((thrown: unknown) => process.emitWarning(thrown instanceof Error ? thrown : String(thrown)))
      .finally(() => (this.#turn = undefined));
  }

  async #tell(): Promise<void> {
    const news = new Map<StreamTopic, Message>();
    for (const topic of this.#changed) {
      this.#changed.delete(topic);
      const message = await topic.news();
      if (message !== undefined) news.set(topic.name, message);
    }
    const shared = new Map<string, Buffer>();
    for (const reader of this.#readers) {
      if (reader.isInStep(news)) reader.takeShared(groupBytes(shared, reader, news), news);
      else await reader.take(news);
    }
  }
}

const TOPICS = Object.keys(STREAM_EVENTS).join(", ");

/** The messages of a reader's topics in one piece, made once for all that want the same. */
function groupBytes(
  made: Map<string, Buffer>,
  { group, wants }: StreamReader,
  news: ReadonlyMap<StreamTopic, Message>,
): Buffer {
  const known = made.get(group);
  if (known !== undefined) return known;
  const bytes = Buffer.from(wants.map(({ name }) => news.get(name)?.text ?? "").join(""));
  made.set(group, bytes);
  return bytes;
}
