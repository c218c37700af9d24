import type { ImageModels } from "../../gateway/images/image-models.ts";
import type { GatewayOptions } from "../../gateway/gateway-options.ts";
import type { ContentBounds } from "../../store/content-table.ts";
import type { TelemetryOptions } from "../../telemetry/index.ts";
import type { Endpoint } from "../../gateway/surface.ts";
import type { InsideAddress } from "./tools/inside-server.ts";

/** What of the tool gateway a worker has to know: MCP is served in the node's own process. */
export interface WorkerTools {
  readonly address: InsideAddress;
  /** Names of the servers that requests may use. */
  readonly servers: readonly string[];
  /** Paths that are led there, and who may ask: tokens are looked at there. */
  readonly paths: readonly ({ readonly path: string } & Pick<Endpoint, "open" | "beyondKeys" | "admin">)[];
  /** Bytes of a request at most. */
  readonly bodyLimit: number;
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
  /** Without it there is neither MCP nor a tool for requests. */
  readonly tools?: WorkerTools;
  /** Bounds of contents that are kept, where the spec keeps any. */
  readonly keepContent?: ContentBounds;
  /** Milliseconds that answers may take yet when the node is gone, `gateway.timeouts.drain`. */
  readonly drain: number;
}
