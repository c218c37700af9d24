import type { EventLog } from "../../core/index.ts";
import type { McpBook } from "../../store/index.ts";
import type { ServerPolicy } from "../policy/server-policy.ts";
import type { Provider } from "../provider.ts";

/** A server behind the hub. */
export interface HubMember {
  /** A label: lower-case letters, digits and hyphens. */
  readonly name: string;
  readonly provider: Provider;
  /** Not one of Omni's own: what it says of itself is a claim. */
  readonly upstream: boolean;
  readonly policy: ServerPolicy;
}

export interface HubOptions {
  readonly servers: readonly HubMember[];
  /** Put a server's name before its names; without effect (on) where there are several servers. */
  readonly prefix: boolean;
  /** Number of tools above which clients search instead of listing. */
  readonly searchAbove: number;
  /** How long a call waits for a person, milliseconds. */
  readonly approvalTimeout: number;
  /** Keep arguments and answers in the audit, not their shapes alone. */
  readonly auditArguments: boolean;
  readonly events: EventLog;
  /** Audit and pins; without it no audit is kept, and pins only in memory. */
  readonly book?: McpBook;
  /** At least 32 bytes by which states that travel through clients are sealed; random for this process when absent. */
  readonly stateSecret?: Buffer;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** What of the options may change while the hub runs. */
export type HubSettings = Pick<
  HubOptions,
  "servers" | "prefix" | "searchAbove" | "approvalTimeout" | "auditArguments"
>;
