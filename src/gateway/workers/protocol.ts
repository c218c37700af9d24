import type { Address, Diagnostic, NewEvent, NodeEvent } from "../../core/index.ts";
import type { KnownKeys } from "../../keys/index.ts";
import type { LimitAsk, LimitGrant } from "../../store/limit-lender.ts";
import type { UsageRow } from "../../store/stored-key.ts";
import type { Diversion, Lease, RouteView, ServiceView } from "../../supervisor/backends.ts";
import type { RequestRecord } from "../../telemetry/index.ts";
import type { NoPlace, Wanted } from "../admission/admission.ts";

/** Grows with every change of a message: parent and workers are always of one release, and this proves it. */
export const PROTOCOL = 1;

/** What a worker knows of one service. */
export interface MirroredService {
  readonly view: ServiceView;
  /** Where it takes requests now; absent while it takes none. */
  readonly address?: Address;
  readonly diversion?: Diversion;
  readonly running: number;
  readonly waiting: number;
}

/** What changed in the node since the last one; services that are not named are as they were. */
export interface MirrorChange {
  readonly services?: readonly MirroredService[];
  /** Names of all services, in order, when that changed. */
  readonly names?: readonly string[];
  readonly routes?: readonly RouteView[];
  readonly diagnostics?: readonly Diagnostic[];
}

/** A lease as it is told. */
export type GrantedLease = Omit<Lease, "release">;

/**
 * The right to one request at a service, in the hands of one worker until that returns it: a place of the admission, a
 * lease of the supervisor, or both. The parent holds the place and the lease themselves for as long.
 */
export interface Token {
  readonly id: number;
  readonly service: string;
  readonly hasPlace: boolean;
  /** Of the route's bound that the place was counted under. */
  readonly route?: string;
  readonly lease?: GrantedLease;
}

/** How a request to the other side ended. */
export type Outcome = { readonly value: unknown } | { readonly error: string };

/** Numbers (`ask`, `wait`, `demand`, `call`, tokens) are one process's own and never used twice. Times are milliseconds. */
export type ToWorker =
  | { readonly is: "begin"; readonly protocol: number; readonly settings: unknown }
  | { readonly is: "settings"; readonly settings: unknown }
  | { readonly is: "mirror"; readonly change: MirrorChange }
  | { readonly is: "keys"; readonly known: KnownKeys }
  | { readonly is: "granted"; readonly ask: number; readonly token: Token }
  | { readonly is: "refused"; readonly ask: number; readonly refusal: NoPlace }
  /** Somebody waits for the service, or nobody any more: tokens nobody uses are returned at once meanwhile. */
  | { readonly is: "contended"; readonly service: string; readonly on: boolean }
  | { readonly is: "ready"; readonly wait: number; readonly ready: boolean; readonly token?: Token }
  /** A report about the service has been looked at; what the mirror said before this was older. */
  | { readonly is: "heard"; readonly service: string }
  | { readonly is: "lent"; readonly call: number; readonly grants?: readonly LimitGrant[] }
  | { readonly is: "events"; readonly events: readonly NodeEvent[] }
  | { readonly is: "answer"; readonly call: number; readonly outcome: Outcome }
  | { readonly is: "question"; readonly call: number; readonly what: string; readonly input: unknown }
  | { readonly is: "drain"; readonly deadline: number };

export type ToParent =
  | { readonly is: "listening"; readonly url: string }
  | { readonly is: "failed"; readonly code: string; readonly message: string; readonly hint?: string }
  | {
      readonly is: "enter";
      readonly ask: number;
      readonly wanted: readonly Wanted[];
      readonly key: string;
      readonly priority: number;
      readonly time: number;
    }
  | { readonly is: "withdraw"; readonly ask: number }
  | { readonly is: "return"; readonly tokens: readonly number[] }
  | { readonly is: "wait"; readonly wait: number; readonly service: string; readonly timeout: number }
  | { readonly is: "unwait"; readonly wait: number }
  | { readonly is: "demand"; readonly demand: number; readonly services: readonly string[] }
  | { readonly is: "undemand"; readonly demand: number }
  | { readonly is: "broken" | "wrong"; readonly service: string; readonly why: string }
  | { readonly is: "lend"; readonly call: number; readonly asks: readonly LimitAsk[] }
  | { readonly is: "usage"; readonly rows: readonly UsageRow[] }
  | { readonly is: "request"; readonly record: RequestRecord }
  | { readonly is: "event"; readonly event: NewEvent }
  | { readonly is: "call"; readonly call: number; readonly what: string; readonly input: unknown }
  | { readonly is: "told"; readonly call: number; readonly outcome: Outcome };
