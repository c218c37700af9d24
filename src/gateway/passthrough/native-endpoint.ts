import type { Dispatcher } from "undici";

import type { Address, EventLog } from "../../core/index.ts";
import { formatBytes, messageOf } from "../../core/index.ts";
import type { Admitted, KeyGate } from "../../keys/key-gate.ts";
import type { OpenExchange, OpenExchanges, OpenRequest } from "../open-exchanges.ts";
import type { Caller } from "../../keys/caller.ts";
import type { Backends, Lease } from "../../supervisor/backends.ts";
import type { Call, StreamedCall } from "../call.ts";
import { headerSafe } from "../forwarded-headers.ts";
import type { GatewayLimits } from "../limits.ts";
import { refuseUnread } from "../lingering-close.ts";
import { unavailableError } from "../service-wait.ts";
import type { WireError } from "../wire-error.ts";
import { badRequest, sendError } from "../wire-error.ts";
import { BodyTooLarge, BoundedBody } from "./bounded-body.ts";
import { leaseOn } from "./lease-on.ts";
import { nativeRequestHeaders } from "./native-headers.ts";
import type { RelayOwner } from "./native-relay.ts";
import { NativeRelay } from "./native-relay.ts";
import type { NativeTarget } from "./native-target.ts";
import { nativeTarget, pathOf } from "./native-target.ts";

/** What direct requests to engines need of the gateway. */
export interface NativeShared {
  readonly backends: Backends;
  readonly events: EventLog;
  readonly limits: Pick<GatewayLimits, "idleTime" | "loadingWait" | "bodyBytes">;
  readonly pools: { for(service: string, address: Address): Dispatcher };
  readonly keys: Pick<KeyGate, "admit">;
  /** The requests in flight; the end of the gateway stops them. */
  readonly open: Pick<OpenExchanges, "add" | "delete">;
}

/** `/upstream/{service}/*`: any request to an engine as it is, for callers that may. */
export function passToUpstream(shared: NativeShared, call: StreamedCall): void {
  const { caller, req } = call;
  if (caller === undefined) return;
  const target = nativeTarget(req.url ?? "/", shared.backends.services(), caller);
  const refusal = "status" in target ? target : unsupported(call, shared.limits.bodyBytes);
  if (refusal !== undefined) refuse(call, refusal, shared.limits.bodyBytes);
  else if (!("status" in target)) {
    pass(shared, call, caller, target).catch((thrown: unknown) => {
      if (call.res.headersSent) call.res.destroy();
      else sendError(call, failure(target.service.name, messageOf(thrown)));
    });
  }
}

function unsupported({ req }: Call, limit: number): WireError | undefined {
  if (req.headers.upgrade !== undefined) {
    return badRequest(
      "upgrade_unsupported",
      `An upgrade to ${req.headers.upgrade.slice(0, 40)} is not passed on: /upstream takes plain HTTP requests.`,
    );
  }
  return Number(req.headers["content-length"] ?? 0) > limit ? tooLarge(limit) : undefined;
}

async function pass(
  shared: NativeShared,
  call: StreamedCall,
  caller: Caller,
  target: NativeTarget,
): Promise<void> {
  const admitted = await shared.keys.admit(caller, 0);
  if ("status" in admitted) {
    refuse(call, keyRefusal(admitted), shared.limits.bodyBytes);
    return;
  }
  const leased = await leaseOn(shared, call, [target.service.name]);
  if (leased === undefined) {
    admitted.settle(0);
    const { name } = target.service;
    const error = unavailableError(shared.backends, { route: name, services: [name] });
    refuse(call, error, shared.limits.bodyBytes);
    return;
  }
  new NativeRequest(shared, call, target, leased.lease, admitted).start();
}

/** One native request from its lease to the end of its answer; it is never tried again. */
class NativeRequest implements RelayOwner, OpenExchange {
  openSeat = -1;
  readonly #started = Date.now();
  readonly #shared: NativeShared;
  readonly #call: StreamedCall;
  readonly #target: NativeTarget;
  readonly #lease: Lease;
  readonly #admitted: Admitted;
  readonly #relay: NativeRelay;
  #body: BoundedBody | undefined;

  constructor(
    shared: NativeShared,
    call: StreamedCall,
    target: NativeTarget,
    lease: Lease,
    admitted: Admitted,
  ) {
    this.#shared = shared;
    this.#call = call;
    this.#target = target;
    this.#lease = lease;
    this.#admitted = admitted;
    const { name, engine } = target.service;
    this.#relay = new NativeRelay(this, call.res, {
      address: lease.address,
      headers: [...call.headers, "x-omni-service", headerSafe(name), "x-omni-engine", headerSafe(engine)],
      idleTime: shared.limits.idleTime,
    });
  }

  start(): void {
    const { req, id } = this.#call;
    const { address } = this.#lease;
    this.#shared.open.add(this);
    const hasBody =
      req.headers["transfer-encoding"] !== undefined || Number(req.headers["content-length"] ?? 0) > 0;
    if (hasBody) {
      this.#body = new BoundedBody(this.#shared.limits.bodyBytes);
      this.#body.once("error", (error) => this.#relay.end(error));
      req.pipe(this.#body);
    }
    this.#shared.pools.for(this.#target.service.name, address).dispatch(
      {
        path: pathOf(this.#target, address),
        method: req.method ?? "GET",
        headers: nativeRequestHeaders(req.rawHeaders, id, address),
        body: this.#body ?? null,
      },
      this.#relay,
    );
  }

  /** The node stops. */
  stop(): void {
    this.#relay.end(new Error("the node is stopping"));
  }

  describe(): OpenRequest {
    const { id, caller } = this.#call;
    return {
      id,
      started: this.#started,
      operation: "upstream",
      key: caller?.key ?? "unknown",
      service: this.#target.service.name,
      stream: false,
      attempts: 1,
    };
  }

  finished(): void {
    this.#close();
  }

  abandoned(): void {
    this.#close();
  }

  failed(error: Error): void {
    const { name } = this.#target.service;
    const large = error instanceof BodyTooLarge;
    if (!large) this.#broken(error);
    this.#call.req.unpipe();
    refuse(
      this.#call,
      large ? tooLarge(this.#shared.limits.bodyBytes) : failure(name, messageOf(error)),
      this.#shared.limits.bodyBytes,
    );
    this.#close();
  }

  cut(error: Error): void {
    this.#broken(error);
    this.#close();
  }

  #broken(error: Error): void {
    const { name } = this.#target.service;
    this.#shared.backends.reportBroken(name, messageOf(error));
    this.#shared.events.record({
      kind: "request.failed",
      severity: "warning",
      service: name,
      message: `Native request ${this.#call.id} at service "${name}" failed: ${messageOf(error)}`,
      data: { request: this.#call.id, reason: "native" },
    });
  }

  #close(): void {
    this.#shared.open.delete(this);
    this.#call.req.unpipe();
    this.#body?.destroy();
    this.#lease.release();
    this.#admitted.settle(0);
  }
}

/** Answers at once; what the client still sends is read and thrown away, so that it sees the answer. */
function refuse(call: StreamedCall, error: WireError, limit: number): void {
  if (call.res.destroyed) return;
  if (call.req.readableEnded) sendError(call, error);
  else refuseUnread(call, error, limit);
}

const keyRefusal = (refusal: {
  status: number;
  code: string;
  message: string;
  retryAfter?: number;
}): WireError => ({
  status: refusal.status,
  type: refusal.status === 429 ? "rate_limit_error" : "permission_error",
  code: refusal.code,
  message: refusal.message,
  ...(refusal.retryAfter === undefined ? {} : { retryAfter: refusal.retryAfter }),
});

const failure = (service: string, why: string): WireError => ({
  status: 502,
  type: "server_error",
  code: "upstream_broken",
  message: `Service "${service}" did not answer: ${why}.`,
});

const tooLarge = (limit: number): WireError => ({
  status: 413,
  type: "invalid_request_error",
  code: "body_too_large",
  message: `The request body is larger than ${formatBytes(limit)}.`,
});
