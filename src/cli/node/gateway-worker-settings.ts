import type { GatewayOptions } from "../../gateway/gateway-options.ts";
import type { TelemetryOptions } from "../../telemetry/index.ts";

/** What the node tells each of its gateway's workers: plain data, the rest leads through the channel. */
export interface GatewayWorkerSettings extends Pick<
  GatewayOptions,
  "host" | "port" | "version" | "limits" | "corsOrigins" | "allowedHosts" | "tls" | "anthropic"
> {
  /** Metrics and traces of this process; the access log is written by the node, which hears of every request. */
  readonly telemetry: Pick<TelemetryOptions, "names" | "metrics" | "traces">;
  /** Where metrics are, `/metrics`; nowhere when absent. */
  readonly metricsPath?: string;
  /** Where the node's events are stored, for those that happened before this process began. */
  readonly stateFolder?: string;
  /** There is somebody who answers for `/api/hardware` and `/api/services/…`. */
  readonly hardware: boolean;
  readonly control: boolean;
  /** Milliseconds that answers may take yet when the node is gone, `gateway.timeouts.drain`. */
  readonly drain: number;
}
