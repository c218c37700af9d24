import { present } from "../../core/index.ts";
import type { EventLog } from "../../core/index.ts";
import { openKeys } from "../../keys/index.ts";
import type { NodeKeys, SpecKey } from "../../keys/index.ts";
import { dropContents, openContents, openRequests } from "../../store/index.ts";
import type { Requests } from "../../store/index.ts";
import { createContentKeeper, createTelemetry, KEEPS_NOTHING } from "../../telemetry/index.ts";
import type { ContentKeeper, MetricNames, Telemetry } from "../../telemetry/index.ts";
import { keyPlaceOf } from "../keys/key-place.ts";
import type { LocatedSpec } from "../node-spec.ts";
import { VERSION } from "../version.ts";
import type { GatewaySettings } from "./gateway-settings.ts";
import { requestFeed } from "./request-feed.ts";
import type { RequestFeed } from "./request-feed.ts";

export interface BooksOptions {
  readonly located: LocatedSpec;
  readonly settings: GatewaySettings;
  readonly stateFolder: string;
  readonly specKeys: readonly SpecKey[];
  readonly events: EventLog;
  readonly names: MetricNames;
}

/** What a gateway writes down: keys and their usage, requests one by one, metrics, logs and traces, contents on request. */
export interface GatewayBooks {
  readonly keys: NodeKeys;
  readonly requests: Requests;
  /** Requests as they end, those of every process of the gateway. */
  readonly finished: RequestFeed;
  readonly telemetry: Telemetry;
  readonly contents: ContentKeeper;
  /** Writes what waits, for at most `time` ms. */
  close(time: number): Promise<void>;
}

/** Throws OmniError `key.unset`, `store.unwritable`, `store.unreachable`, `telemetry.otlp`; nothing stays open then. */
export async function openGatewayBooks(options: BooksOptions): Promise<GatewayBooks> {
  const { located, settings, stateFolder, specKeys, events, names } = options;
  const { retention, keepContent } = located.spec.telemetry;
  const tell = (event: Parameters<EventLog["record"]>[0]): void => void events.record(event);
  const closers: ((time: number) => unknown)[] = [];
  const close = async (time: number): Promise<void> => {
    for (const closer of closers.toReversed()) await closer(time);
  };
  try {
    const keys = await openKeys(await keyPlaceOf(located, stateFolder), {
      spec: specKeys,
      retention: retention.usage,
      onEvent: tell,
      workers: settings.workers > 1,
    });
    closers.push(() => keys.close());
    const requests = openRequests(stateFolder, {
      bounds: { age: retention.requests },
      lost: (rows, why) => telemetry.lost("request_row", rows, why),
    });
    closers.push((time) => requests.close(time));
    const finished = requestFeed(requests);
    const telemetry: Telemetry = createTelemetry({
      // Workers count and trace their own requests; what this process keeps of them is the log and the rows.
      ...(settings.workers > 1
        ? { metrics: false, ...present({ logs: settings.telemetry.logs }) }
        : settings.telemetry),
      version: VERSION,
      names,
      requests: finished,
      tell,
    });
    closers.push((time) => telemetry.close(time));
    if (keepContent === false) {
      // What an owner no longer wants kept must not stay.
      dropContents(stateFolder);
      return { keys, requests, finished, telemetry, contents: KEEPS_NOTHING, close };
    }
    const contents = openContents(
      stateFolder,
      { age: keepContent.retention, bytes: keepContent.maxSize },
      (count, why) => telemetry.lost("content", count, why),
    );
    closers.push(() => contents.close());
    return { keys, requests, finished, telemetry, contents: createContentKeeper(contents), close };
  } catch (thrown) {
    await close(0);
    throw thrown;
  }
}
