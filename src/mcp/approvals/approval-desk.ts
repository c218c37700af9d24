import { randomBytes } from "node:crypto";
import type { EventLog } from "../../core/index.ts";
import { OmniError } from "../../core/index.ts";
import type { PendingApproval } from "../hub.ts";
import { visible } from "./visible-text.ts";

/** Calls that wait at most, in all and of one key: what waits holds its arguments. */
const MOST = 256;
const MOST_OF_KEY = 32;
/** Bytes of all their arguments together. */
const MOST_BYTES = 64 * 1024 * 1024;

/** How a call that waited was decided. */
export type Decision =
  | { readonly is: "approved" | "denied"; readonly by: string }
  | { readonly is: "timeout" }
  /** Nobody wants to know any more. */
  | { readonly is: "gone" };

export interface ApprovalRequest {
  readonly key: string;
  readonly server: string;
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

interface Waiting {
  /** Of its arguments. */
  readonly bytes: number;
  readonly shown: PendingApproval;
  timer: NodeJS.Timeout;
  readonly decided: Promise<Decision>;
  readonly resolve: (decision: Decision) => void;
  decision?: Decision;
}

/** Calls that wait for a person, in memory: what nobody decides in time is refused, and a restart forgets them all. */
export class ApprovalDesk {
  readonly #events: EventLog;
  readonly #now: () => number;
  readonly #waiting = new Map<string, Waiting>();

  constructor(events: EventLog, now: () => number) {
    this.#events = events;
    this.#now = now;
  }

  /** Puts a call with `bytes` of arguments before whoever decides, for `time` milliseconds. Throws `OmniError` `mcp.approvals-full`. */
  open(request: ApprovalRequest, bytes: number, time: number): PendingApproval {
    this.#checkRoom(request, bytes);
    const asked = this.#now();
    const id = randomBytes(9).toString("base64url");
    const shown: PendingApproval = { id, ...request, asked, until: asked + time };
    const { promise, resolve } = Promise.withResolvers<Decision>();
    const timer = setTimeout(() => this.#settle(id, { is: "timeout" }), Math.min(time, 2 ** 31 - 1)).unref();
    this.#waiting.set(id, { bytes, shown, timer, decided: promise, resolve });
    this.#say("mcp.approval-waiting", "warning", shown, "waits for approval (./omni mcp approvals)");
    return shown;
  }

  /** What was decided; waits for it. A call that is not there any more is `gone`. */
  decision(id: string): Promise<Decision> {
    return this.#waiting.get(id)?.decided ?? Promise.resolve({ is: "gone" });
  }

  /** What was decided so far on a call that a client's person was asked about too. */
  decided(id: string): Decision | undefined {
    return this.#waiting.get(id)?.decision;
  }

  list(): readonly PendingApproval[] {
    return [...this.#waiting.values()]
      .filter(({ decision }) => decision === undefined)
      .map(({ shown }) => shown);
  }

  /** Throws `OmniError` `mcp.unknown-approval`. */
  decide(id: string, approve: boolean, by: string): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined || waiting.decision !== undefined)
      throw new OmniError("mcp.unknown-approval", `No call ${visible(id, 32)} waits for approval.`);
    this.#settle(id, { is: approve ? "approved" : "denied", by });
  }

  /** The call needs no decision any more: its client answered itself, or is gone. */
  end(id: string): void {
    this.#settle(id, { is: "gone" });
    clearTimeout(this.#waiting.get(id)?.timer);
    this.#waiting.delete(id);
  }

  close(): void {
    for (const id of this.#waiting.keys()) this.end(id);
  }

  #checkRoom({ key }: ApprovalRequest, bytes: number): void {
    const open = [...this.#waiting.values()];
    const ofKey = open.filter(({ shown }) => shown.key === key).length;
    const held = open.reduce((sum, waiting) => sum + waiting.bytes, bytes);
    if (open.length < MOST && ofKey < MOST_OF_KEY && held <= MOST_BYTES) return;
    throw new OmniError(
      "mcp.approvals-full",
      ofKey >= MOST_OF_KEY
        ? `${ofKey} calls of this key wait for approval already.`
        : `${open.length} calls with ${held - bytes} bytes of arguments wait for approval already.`,
    );
  }

  #settle(id: string, decision: Decision): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined || waiting.decision !== undefined) return;
    clearTimeout(waiting.timer);
    waiting.decision = decision;
    waiting.resolve(decision);
    if (decision.is === "gone") return;
    const severity = decision.is === "approved" ? "info" : "warning";
    const how =
      decision.is === "timeout" ? "was decided by nobody in time" : `was ${decision.is} by ${decision.by}`;
    this.#say(`mcp.approval-${decision.is}`, severity, waiting.shown, how);
    // A client that asked its person too comes back for the decision until then.
    const left = Math.max(0, waiting.shown.until - this.#now());
    if (decision.is === "timeout" || left === 0) this.#waiting.delete(id);
    else waiting.timer = setTimeout(() => this.#waiting.delete(id), Math.min(left, 2 ** 31 - 1)).unref();
  }

  #say(
    kind: string,
    severity: "info" | "warning",
    { id, key, server, tool }: PendingApproval,
    how: string,
  ): void {
    const name = visible(tool, 64);
    this.#events.record({
      kind,
      severity,
      message: `A call of ${name} of ${server} by the key ${key} ${how}.`,
      data: { id, key, server, tool: name },
    });
  }
}
