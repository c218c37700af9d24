import { present } from "../../core/index.ts";
import type { AuditRow, McpBook } from "../../store/index.ts";
import type { Asker, AuditEntry, AuditQuery, HubContext } from "../hub.ts";
import { argumentShape } from "./argument-shape.ts";

/** Bytes of arguments and of an answer that are kept where contents are. */
const MOST_KEPT = 64 * 1024;

/** A request that will be one entry of the audit. */
export interface Audited {
  readonly server: string;
  readonly method: "tools/call" | "resources/read" | "prompts/get";
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly argumentBytes: number;
  readonly asker: Asker;
  readonly context: Pick<HubContext, "request">;
  /** By `performance.now()`. */
  readonly began: number;
}

/** How it ended. */
export interface Ending {
  readonly outcome: AuditEntry["outcome"];
  readonly resultBytes?: number;
  readonly code?: string;
  readonly approvedBy?: string | undefined;
  /** The answer, for an audit that keeps contents. */
  readonly answer?: unknown;
}

/** Who did what and what came of it. Contents only where the owner wants them. */
export class AuditTrail {
  readonly #book: McpBook | undefined;
  readonly #now: () => number;
  /** Whether arguments and answers are kept. */
  keepsContents: boolean;

  constructor(book: McpBook | undefined, keepsContents: boolean, now: () => number) {
    this.#book = book;
    this.keepsContents = keepsContents;
    this.#now = now;
  }

  add(request: Audited, ending: Ending): void {
    if (this.#book === undefined) return;
    const { server, method, name, args, argumentBytes, asker, context, began } = request;
    this.#book.record({
      time: this.#now(),
      request: context.request,
      key: asker.caller.key,
      channel: asker.channel,
      server,
      method,
      name: name.slice(0, 512),
      shape: argumentShape(args),
      argumentBytes,
      resultBytes: ending.resultBytes ?? 0,
      outcome: ending.outcome,
      duration: Math.round((performance.now() - began) * 1000) / 1000,
      ...present({ code: ending.code, approvedBy: ending.approvedBy }),
      ...(this.keepsContents
        ? {
            contents: {
              arguments: kept(args),
              result: ending.answer === undefined ? "" : kept(ending.answer),
            },
          }
        : {}),
    });
  }

  /** Empty without a book. Throws `OmniError` `store.unwritable`. */
  latest(query: AuditQuery): readonly AuditEntry[] {
    return this.#book?.audit(query).map(entryOf) ?? [];
  }
}

function kept(value: unknown): string {
  try {
    const text = JSON.stringify(value);
    return text.length <= MOST_KEPT ? text : `${text.slice(0, MOST_KEPT)}… (${text.length} characters)`;
  } catch {
    return "(nested too deeply to be kept)";
  }
}

const entryOf = (row: AuditRow): AuditEntry => ({
  ...row,
  channel: CHANNELS.find((channel) => channel === row.channel) ?? "http",
  outcome: OUTCOMES.find((outcome) => outcome === row.outcome) ?? "error",
});

const CHANNELS = ["http", "sse", "stdio", "inside"] as const;
const OUTCOMES = ["ok", "error", "refused", "denied", "cancelled", "timeout", "input"] as const;
