import type { EventLog } from "../../core/index.ts";
import { formatDuration, messageOf } from "../../core/index.ts";
import type { JsonObject } from "../../dialects/dialect.ts";
import { asObject, parseJson } from "../../engines/json-object.ts";
import type { Caller } from "../../keys/caller.ts";
import type { CallResult } from "./dialogue.ts";
import type { ToolBounds } from "./tool-bounds.ts";
import type { ToolHost } from "./tool-host.ts";
import type { HostedCall } from "./tool-loop.ts";
import { plainName } from "../../keys/tool-names.ts";

export interface RunnerSurroundings {
  readonly host: ToolHost;
  readonly events: EventLog;
  readonly bounds: ToolBounds;
  readonly caller: Caller;
  /** Id of the client's request. */
  readonly request: string;
  /** Aborts when the client is gone or the time of the request is up: running calls end at once. */
  readonly signal: AbortSignal;
  /** A client that cannot be asked gets a refusal for tools that need its approval. */
  readonly asksApproval: boolean;
  /** Chats over tools that the request is within. */
  readonly depth?: number;
}

const CUT = "\n[cut: the result was larger than is taken]";

/** Calls hosted tools, some at a time. A call that fails is a result too: the model is told and goes on. */
export class ToolRunner {
  readonly #around: RunnerSurroundings;

  constructor(around: RunnerSurroundings) {
    this.#around = around;
  }

  /**
   * Calls all of them; `began` and `returned` are called as it happens. `room` gives the bytes that a result may have.
   * Resolves when every call has returned, failed or was ended.
   */
  async run(
    calls: readonly HostedCall[],
    room: () => number,
    began: (call: HostedCall) => void,
    returned: (call: HostedCall, result: CallResult) => void,
  ): Promise<void> {
    const waiting = [...calls];
    const lane = async (): Promise<void> => {
      for (let call = waiting.shift(); call !== undefined; call = waiting.shift()) {
        began(call);
        const result = await this.#call(call, room());
        returned(call, result);
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.#around.bounds.parallel, calls.length) }, lane));
  }

  async #call(call: HostedCall, maxBytes: number): Promise<CallResult> {
    const { tool } = call;
    const args = readArguments(call.arguments);
    if (typeof args === "string") return failed(args);
    if (tool.approval && !("approval" in call) && !this.#around.asksApproval) {
      return failed(
        `${plainName(tool.server, tool.tool)} needs a person's approval, which chat completions cannot ask for; it was not called. Through /v1/responses it can be.`,
      );
    }
    if (maxBytes <= 0)
      return failed("The tools of this request have returned as much as is taken; it was not called.");
    const started = performance.now();
    const result = cutTo(maxBytes, await this.#bounded(call, args, maxBytes));
    this.#record(call, Math.round(performance.now() - started), !result.isError);
    return result;
  }

  /** One call within its time; a host that does not look at the signal is not waited for. */
  #bounded(call: HostedCall, args: JsonObject, maxBytes: number): Promise<CallResult> {
    const { host, bounds, caller, request, signal, depth } = this.#around;
    const { server, tool } = call.tool;
    const own = new AbortController();
    return new Promise((resolve) => {
      const settle = (result: CallResult): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", ended);
        resolve(result);
      };
      const late = (): void => {
        own.abort(new Error("the time of the call is up"));
        settle(failed(`The call was ended after ${formatDuration(bounds.callTime)}.`));
      };
      const ended = (): void => {
        own.abort(signal.reason);
        settle(failed("The call was ended with its request."));
      };
      const timer = setTimeout(late, bounds.callTime);
      signal.addEventListener("abort", ended, { once: true });
      if (signal.aborted) {
        ended();
        return;
      }
      const context = {
        caller,
        request,
        signal: own.signal,
        maxBytes,
        approved: "approval" in call,
        ...(depth === undefined ? {} : { depth }),
      };
      callHost(host, server, tool, args, context).then(settle, (thrown: unknown) =>
        settle(failed(`The call failed: ${messageOf(thrown)}`)),
      );
    });
  }

  /** Arguments and results are the client's business and in no log. */
  #record({ tool }: HostedCall, ms: number, ok: boolean): void {
    const { events, request, caller } = this.#around;
    const name = plainName(tool.server, tool.tool);
    events.record({
      kind: "tools.called",
      severity: ok ? "info" : "warning",
      message: `Request ${request} called ${name}, which ${ok ? "answered" : "failed"} after ${formatDuration(ms)}.`,
      data: { request, key: caller.key, server: tool.server, tool: tool.tool, ms, ok },
    });
  }
}

/** A host that throws at once is a host whose call failed. */
async function callHost(
  host: ToolHost,
  server: string,
  tool: string,
  args: JsonObject,
  context: Parameters<ToolHost["call"]>[3],
): Promise<CallResult> {
  return host.call(server, tool, args, context);
}

const failed = (text: string): CallResult => ({ text, isError: true });

function readArguments(text: string): JsonObject | string {
  const args = asObject(parseJson(text.trim() === "" ? "{}" : text));
  return args ?? "The arguments are no JSON object; the tool was not called. Call it again with an object.";
}

/** A host should keep the bound itself; one that does not is cut at a character's end. */
function cutTo(maxBytes: number, result: CallResult): CallResult {
  const bytes = Buffer.from(result.text);
  if (bytes.length <= maxBytes) return result;
  let end = Math.max(0, maxBytes - CUT.length);
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return { ...result, text: bytes.toString("utf8", 0, end) + CUT };
}
