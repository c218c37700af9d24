import { KIB, MIB } from "../core/index.ts";

/** Every bound of the gateway. Times are milliseconds, sizes are bytes. */
export interface GatewayLimits {
  /** Largest request body; beyond it the answer is 413. */
  readonly bodyBytes: number;
  /** Largest block of request headers; beyond it the answer is 431. */
  readonly headerBytes: number;
  /** From the first byte of a request until its headers are whole. */
  readonly headerTime: number;
  /** From the first byte of a request until its body is whole. */
  readonly bodyTime: number;
  /** How long an idle client connection is kept open. */
  readonly keepAliveTime: number;
  /** Until the connection to an engine stands. */
  readonly connectTime: number;
  /** Longest silence of an engine before the head or between two bytes, and of a client that does not read. */
  readonly idleTime: number;
  /** Until the whole answer is there, for routes that say nothing. */
  readonly totalTime: number;
  /** Requests that may wait for a place in all, and how long one of them waits. */
  readonly queueLimit: number;
  readonly queueTime: number;
  /** How long a request waits for a service that is not ready. */
  readonly loadingWait: number;
  /** How long a stream that waits for a service is silent before it hears how far the loading is. */
  readonly silentWait: number;
  /** Most tries of one request, the first included. */
  readonly attempts: number;
  /** No new try starts later than this after the request began. */
  readonly retryTime: number;
  /** A non-streaming answer up to this size is held until it is whole, so that a cut one can be retried. */
  readonly holdBytes: number;
  /** One event of a stream up to this size is held until it is whole, so that half an event is never passed on. */
  readonly eventBytes: number;
  /** Between two comments on `/api/events/stream`, so that proxies keep it open. */
  readonly heartbeatTime: number;
}

export const DEFAULT_LIMITS: GatewayLimits = {
  bodyBytes: 32 * MIB,
  headerBytes: 16 * KIB,
  headerTime: 15_000,
  bodyTime: 300_000,
  keepAliveTime: 65_000,
  connectTime: 5_000,
  idleTime: 600_000,
  totalTime: 1_800_000,
  queueLimit: 256,
  queueTime: 300_000,
  loadingWait: 120_000,
  silentWait: 3_000,
  attempts: 3,
  retryTime: 180_000,
  holdBytes: 8 * MIB,
  eventBytes: MIB,
  heartbeatTime: 15_000,
};
