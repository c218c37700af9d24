import type { EventLog } from "../core/index.ts";
import type { KeyGate, UsageBook } from "../keys/index.ts";
import type { StoredResponses } from "../store/index.ts";
import type { Backends } from "../supervisor/backends.ts";
import type { ServiceControl } from "../supervisor/service-control.ts";
import type { ContentKeeper, Meter } from "../telemetry/index.ts";
import type { Admission } from "./admission/admission.ts";
import type { ExchangeShared } from "./exchange-shared.ts";
import type { TlsFiles } from "./http-server.ts";
import type { AskInside } from "./inside-call.ts";
import type { GatewayLimits } from "./limits.ts";
import type { MoreModels } from "./models-endpoint.ts";
import type { Router } from "./routing/router.ts";
import type { NodeStatus } from "./status-endpoint.ts";
import type { Endpoint } from "./surface.ts";
import type { ToolHost } from "./tools/tool-host.ts";

/** What endpoints that stand beside the dialects may use of the gateway. */
export interface GatewayInside {
  readonly shared: ExchangeShared;
  readonly ask: AskInside;
  /** The node as this gateway tells it. */
  readonly status: () => NodeStatus;
}

export interface GatewayOptions {
  readonly backends: Backends;
  readonly events: EventLog;
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly version: string;
  readonly limits?: Partial<GatewayLimits>;
  /** Who may ask, and how much; everyone on this machine when absent. */
  readonly keys?: KeyGate;
  readonly usage?: UsageBook;
  readonly meter?: Meter;
  /** Whose contents are kept; nobody's when absent. */
  readonly contents?: ContentKeeper;
  /** Places at services; by `ServiceView.parallel` within this process when absent. */
  readonly admission?: Admission;
  readonly router?: Router;
  readonly tls?: TlsFiles;
  /** Origins of web pages that may call this node from a browser, such as `https://chat.example`. */
  readonly corsOrigins?: readonly string[];
  /** Host headers that are accepted beside its own addresses. */
  readonly allowedHosts?: readonly string[];
  /** Orders by hand; without it there are none. */
  readonly control?: ServiceControl;
  /** What cards and machine look like now, for `/api/hardware`. */
  readonly hardware?: () => unknown;
  /** Names that are served by `endpoints`, each with the services behind it. */
  readonly moreModels?: MoreModels;
  /** Responses that later requests continue; without it none is kept. */
  readonly responses?: StoredResponses;
  /** Tools that requests may have run on this side; without it such requests are refused. */
  readonly tools?: ToolHost;
  /** False serves no Anthropic dialect. */
  readonly anthropic?: boolean;
  /** Further paths. */
  readonly endpoints?: (inside: GatewayInside) => Readonly<Record<string, Endpoint>>;
}

/** What a running gateway can be told anew. */
export type GatewayChanges = Pick<GatewayOptions, "limits" | "corsOrigins" | "allowedHosts" | "tls">;

export interface Gateway {
  /** Throws node.port-busy, node.bad-address or node.open-without-keys. */
  listen(): Promise<{ readonly url: string }>;
  /**
   * Stops accepting, ends idle connections and lets answers finish for at most `deadline` milliseconds; what is left
   * then is cut, streams with an error event. A second call with a shorter deadline hurries the first.
   */
  close(deadline: number): Promise<void>;
  /** Takes over what changed, for requests from now on. Throws gateway.tls, and nothing is changed then. */
  configure(changes: GatewayChanges): void;
}
