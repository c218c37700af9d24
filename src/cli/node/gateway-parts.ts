import type { Answer } from "../../api/index.ts";
import type { EventLog } from "../../core/index.ts";
import type { Admission } from "../../gateway/admission/admission.ts";
import type { BatchRunner } from "../../gateway/batches/batch-runner.ts";
import type { ImageModels } from "../../gateway/images/image-models.ts";
import type { Gateway, GatewayChanges } from "../../gateway/index.ts";
import type { SpecKey } from "../../keys/index.ts";
import type { Plan } from "../../plan/index.ts";
import type { Measurements, SampleHistory } from "../../store/index.ts";
import type { Supervisor } from "../../supervisor/index.ts";
import type { MetricNames, watchEjections } from "../../telemetry/index.ts";
import type { NodeWatch } from "../../watch/index.ts";
import type { LocatedSpec } from "../node-spec.ts";
import type { NodeApi } from "./api-endpoints.ts";
import type { CardIdentity } from "./card-identities.ts";
import type { GatewayBooks } from "./gateway-books.ts";
import type { GatewaySettings } from "./gateway-settings.ts";
import type { LiveSpec } from "./live-spec.ts";
import type { GatewayStores } from "./gateway-stores.ts";
import type { ToolGateway } from "./tools/tool-gateway.ts";

export interface NodeGatewayOptions {
  readonly located: LocatedSpec;
  readonly plan: Plan;
  readonly settings: GatewaySettings;
  readonly stateFolder: string;
  readonly specKeys: readonly SpecKey[];
  readonly events: EventLog;
  readonly supervisor: Supervisor;
  readonly watch: NodeWatch;
  /** Cards of the plan by their names. */
  readonly cards: ReadonlyMap<string, CardIdentity>;
  readonly samples: SampleHistory;
  readonly measurements: Measurements;
  /** The spec in force, and what its plan stands on. */
  readonly live: LiveSpec;
  /** Engines and cards are simulated. */
  readonly simulated: boolean;
  readonly onReload?: () => Promise<unknown>;
}

/** What the processes of a gateway share. */
export interface GatewayParts {
  readonly books: GatewayBooks;
  readonly stores: GatewayStores;
  readonly imageModels: ImageModels;
  /** Bounds of the queue that are in force. */
  readonly queue: { queueLimit: number; queueTime: number };
  readonly admission: Admission;
}

/** A gateway whose processes may count on their own, by the names that their metrics may carry. */
export interface ServingGateway extends Gateway {
  configure(
    changes: GatewayChanges & { readonly names?: MetricNames; readonly toolServers?: readonly string[] },
  ): void;
}

/** A gateway, and what ends with it. */
export interface ServedGateway {
  readonly gateway: ServingGateway;
  readonly runner: BatchRunner;
  readonly stopping: AbortController;
  readonly ejections: ReturnType<typeof watchEjections>;
  readonly tools: ToolGateway;
  readonly api: NodeApi;
}

/** What `/api/hardware` tells. */
export const hardwareOf =
  ({ watch, cards }: Pick<NodeGatewayOptions, "watch" | "cards">) =>
  (): Answer<"GET /api/hardware"> => ({
    source: watch.source,
    reading: watch.latest() ?? null,
    notes: watch.notes(),
    names: Object.fromEntries(
      [...cards].flatMap(([name, { uuid }]) => (uuid === undefined ? [] : [[name, uuid]])),
    ),
  });
