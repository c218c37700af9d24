import type { ImageModels } from "../../gateway/images/image-models.ts";
import type { GatewayOptions } from "../../gateway/gateway-options.ts";
import type { ContentBounds } from "../../store/content-table.ts";
import type { TelemetryOptions } from "../../telemetry/index.ts";
import type { Endpoint } from "../../gateway/surface.ts";
import type { InsideAddress } from "./tools/inside-server.ts";

/** A path that is led into the node's own process: how it may be asked, and by whom. Tokens are looked at there. */
export interface LedPath extends Pick<Endpoint, "open" | "beyondKeys" | "admin"> {
  readonly path: string;
  readonly methods: readonly ("GET" | "POST" | "DELETE")[];
}

/** What a worker has to know of what is served in the node's own process: the API, the console, MCP. */
export interface WorkerInside {
  readonly address: InsideAddress;
  readonly paths: readonly LedPath[];
  /** Bytes of a request at most. */
  readonly bodyLimit: number;
  /** Names of the tool servers that requests may use. */
  readonly toolServers: readonly string[];
}

/** What the node tells each of its gateway's workers: data that is cloned, the rest leads through the channel. */
export interface GatewayWorkerSettings extends Pick<
  GatewayOptions,
  "host" | "port" | "version" | "limits" | "corsOrigins" | "allowedHosts" | "tls" | "anthropic"
> {
  /** Metrics and traces of this process; the access log is written by the node, which hears of every request. */
  readonly telemetry: Pick<TelemetryOptions, "names" | "metrics" | "traces">;
  /** Where metrics are, `/metrics`; nowhere when absent. */
  readonly metricsPath?: string;
  /** What clients left with the node, and its events from before this process began; without it there is neither. */
  readonly stateFolder?: string;
  /** There is somebody who answers for `/api/hardware`, `/api/services/…` and `/api/reload`. */
  readonly hardware: boolean;
  readonly control: boolean;
  readonly reload: boolean;
  /** Services that make images, as `readImageModels` gives them. */
  readonly imageModels: ImageModels;
  /** Without it there is neither MCP nor a tool for requests, and of the API what workers know themselves. */
  readonly inside?: WorkerInside;
  /** Bounds of contents that are kept, where the spec keeps any. */
  readonly keepContent?: ContentBounds;
  /** Milliseconds that answers may take yet when the node is gone, `gateway.timeouts.drain`. */
  readonly drain: number;
}
