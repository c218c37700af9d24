import type { EventLog } from "../core/index.ts";
import type { KeyGate, UsageBook } from "../keys/index.ts";
import type { Backends } from "../supervisor/backends.ts";
import type { ContentKeeper, Meter } from "../telemetry/index.ts";
import type { Admission } from "./admission/admission.ts";
import type { GatewayLimits } from "./limits.ts";
import type { OpenExchanges } from "./open-exchanges.ts";
import type { Patience } from "./patience.ts";
import type { RetryBudget } from "./retry-budget.ts";
import type { Router } from "./routing/router.ts";
import type { Traffic } from "./traffic.ts";
import type { UpstreamPools } from "./upstream-pools.ts";

/** What all requests of a gateway share. */
export interface ExchangeShared {
  readonly backends: Backends;
  readonly events: EventLog;
  /** Those of the spec in force; a request keeps the ones that it began with. */
  limits: GatewayLimits;
  readonly pools: UpstreamPools;
  readonly budget: RetryBudget;
  readonly traffic: Traffic;
  readonly router: Router;
  readonly admission: Admission;
  readonly keys: KeyGate;
  readonly meter: Meter;
  readonly usage: UsageBook;
  readonly patience: Patience;
  /** Tokens of a text by the tokenizer of a service; `undefined` where it cannot tell now. */
  readonly countTokens: (service: string, text: string) => Promise<number | undefined>;
  /** Whose contents are kept. */
  readonly contents: ContentKeeper;
  /** The requests in flight. */
  readonly open: OpenExchanges;
}
