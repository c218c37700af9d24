import { messageOf } from "../core/index.ts";
import type { AcceptanceClient } from "./client.ts";
import type { ForeignTraffic } from "./foreign-traffic.ts";
import type { BenchSettings, RouteNumbers } from "./route-numbers.ts";
import type { Task } from "./task.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer Item)[] ? Item[] : T[K] };

/** One name while it is measured: what is asked, and what was found so far. */
export interface RouteMeasuring {
  readonly client: AcceptanceClient;
  readonly model: string;
  readonly settings: BenchSettings;
  readonly signal: AbortSignal;
  /** Tokens of one request, where somebody tells. */
  readonly context: number | undefined;
  readonly traffic: ForeignTraffic;
  readonly found: Writable<RouteNumbers>;
  note(text: string): void;
  answeredBy(answer: { readonly service?: string; readonly engineName?: string }): void;
  /**
   * One part of the whole: what it fails with becomes a note and the rest goes on. Throws the signal's reason alone.
   */
  part(name: string, work: () => Promise<unknown>): Promise<void>;
}

export interface MeasuringOptions extends Pick<
  RouteMeasuring,
  "client" | "model" | "settings" | "signal" | "context" | "traffic"
> {
  readonly task: Task;
  readonly onPart: (name: string) => void;
}

export function beginMeasuring({ task, onPart, ...options }: MeasuringOptions): RouteMeasuring {
  const { signal, traffic } = options;
  const found: RouteMeasuring["found"] = { task, prompts: [], sweep: [], long: [], notes: [] };
  const note = (text: string): void => {
    if (!found.notes.includes(text)) found.notes.push(text);
  };
  return {
    ...options,
    found,
    note,
    answeredBy: ({ service, engineName }) => {
      if (service !== undefined) found.service = service;
      if (engineName !== undefined) found.engine = engineName;
    },
    part: async (name, work) => {
      signal.throwIfAborted();
      onPart(name);
      try {
        await work();
      } catch (thrown) {
        signal.throwIfAborted();
        note(`${name}: ${messageOf(thrown)}`);
      }
      for (const words of await traffic.noticed(signal)) note(words);
    },
  };
}
