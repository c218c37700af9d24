import type { AcceptanceClient } from "./client.ts";
import { watchTraffic } from "./foreign-traffic.ts";
import { measureEmbeddings, measureImages } from "./measure-other.ts";
import { measureText } from "./measure-text.ts";
import { beginMeasuring } from "./measuring.ts";
import type { BenchSettings, RouteNumbers } from "./route-numbers.ts";
import type { Task } from "./task.ts";

export type { BenchSettings, RouteNumbers } from "./route-numbers.ts";

export interface MeasureOptions {
  /** Name that is asked for: a route, a service or an engine's model. */
  readonly model: string;
  readonly task: Task;
  /** Services behind it, whose other requests are noticed; none where nobody tells. */
  readonly services: readonly string[];
  /** Tokens of one request, prompt and answer together, where somebody tells. */
  readonly context?: number | undefined;
  readonly settings: BenchSettings;
  readonly signal: AbortSignal;
  /** Told before each part. */
  readonly onPart?: (name: string) => void;
}

const MEASURES = { text: measureText, embeddings: measureEmbeddings, image: measureImages } as const;

/**
 * Measures one name part by part. When the signal aborts, what was measured until then comes back, marked. Throws OmniError where
 * even the first request is not answered: `acceptance.no-server`, `acceptance.refused`, `acceptance.cut`, `acceptance.bad-answer`.
 */
export async function measureRoute(client: AcceptanceClient, options: MeasureOptions): Promise<RouteNumbers> {
  const { signal, task, onPart = () => undefined, services } = options;
  const traffic = await watchTraffic(client, services, signal);
  const measuring = beginMeasuring({
    client,
    task,
    onPart,
    signal,
    traffic,
    model: options.model,
    settings: options.settings,
    context: options.context,
  });
  try {
    await MEASURES[task](measuring);
  } catch (thrown) {
    if (!signal.aborted || measuring.found.warmUp === undefined) throw thrown;
    measuring.note("It was told to end before everything was measured.");
    measuring.found.interrupted = true;
  }
  return measuring.found;
}
