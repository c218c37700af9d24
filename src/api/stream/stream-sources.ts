import type { EventLog } from "../../core/index.ts";
import type { OpenRequests } from "../../gateway/open-exchanges.ts";
import type { NodeStatus } from "../../gateway/status-endpoint.ts";
import type { RequestRow } from "../../store/index.ts";
import type { RouteView, ServiceView } from "../../supervisor/backends.ts";
import type { StreamEvents } from "../contract/index.ts";

/** What is here now, or soon: with several processes the others are asked. */
export type Soon<T> = T | Promise<T>;

type Run = StreamEvents["runs"]["runs"][number];

/** Runs of the runbook, which are written by other processes. */
export interface RunLook {
  /** The newest run of each spec as it stands; `undefined` where nothing changed since the last look. */
  look(): readonly Run[] | undefined;
  close(): void;
}

/** What the stream is made of. Nothing here is asked or subscribed to while nobody reads. */
export interface StreamSources {
  readonly status: () => Soon<NodeStatus>;
  /** Of the status what seldom changes. */
  readonly frame: () => {
    readonly routes: readonly RouteView[];
    readonly diagnostics: NodeStatus["diagnostics"];
  };
  readonly services: () => readonly ServiceView[];
  readonly traffic: () => Soon<NodeStatus["traffic"]>;
  readonly hardware: () => StreamEvents["hardware"];
  /** Calls with each look of the watch; the returned function ends that. */
  readonly onReading: (listener: () => void) => () => void;
  readonly events: EventLog;
  /** Calls with each request that ends; the returned function ends that. */
  readonly onRequest: (listener: (row: RequestRow) => void) => () => void;
  readonly open: () => Soon<OpenRequests>;
  readonly openRuns: () => RunLook;
}
