import type { Caller, KeyGate, UsageBook } from "../keys/index.ts";
import type { Backends } from "../supervisor/backends.ts";
import type { Meter } from "../telemetry/index.ts";
import type { Admission } from "./admission/admission.ts";
import { createAdmission } from "./admission/create-admission.ts";
import type { GatewayLimits } from "./limits.ts";
import { viewOf } from "./seek.ts";

const LOCAL: Caller = { key: "local", admin: true, upstream: true, priority: 5 };
const FREE = { settle: (): void => undefined };

/** Lets everyone in and limits nobody. */
export const OPEN_GATE: KeyGate = {
  open: true,
  identify: () => LOCAL,
  admit: () => FREE,
  limitHeaders: () => [],
};

export const NO_BOOK: UsageBook = { record: () => undefined };

export const NO_METER: Meter = {
  finished: () => undefined,
  interToken: () => undefined,
  traceparent: () => undefined,
};

/** Places by what each service generates at the same time, counted in this process; `limits` gives those in force now. */
export const placesOf = (
  backends: Backends,
  limits: () => Pick<GatewayLimits, "queueLimit" | "queueTime">,
): Admission =>
  createAdmission({
    capacityOf: (service) => viewOf(backends, service)?.parallel,
    queueLimitOf: (service) => viewOf(backends, service)?.queueLimit,
    get queueLimit() {
      return limits().queueLimit;
    },
    get deadline() {
      return limits().queueTime;
    },
  });
