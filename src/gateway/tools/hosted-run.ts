import type { EventLog } from "../../core/index.ts";
import { messageOf } from "../../core/index.ts";
import type { Caller } from "../../keys/caller.ts";
import type { AskInside } from "../inside-call.ts";
import type { WireError } from "../wire-error.ts";
import type { Dialogue } from "./dialogue.ts";
import type { HostedServer } from "./hosted-servers.ts";
import type { Listing, OfferedTool } from "./offered-tools.ts";
import { offeredTools } from "./offered-tools.ts";
import type { ToolBounds } from "./tool-bounds.ts";
import type { ToolHost } from "./tool-host.ts";
import type { HostedCall, RoundPlan } from "./tool-loop.ts";
import { ToolLoop } from "./tool-loop.ts";
import { ToolRunner } from "./tool-runner.ts";

export interface HostedRun {
  readonly host: ToolHost;
  readonly ask: AskInside;
  readonly events: EventLog;
  readonly bounds: ToolBounds;
  readonly caller: Caller;
  /** Id of the client's request. */
  readonly id: string;
  readonly servers: readonly HostedServer[];
  /** Names of the functions that the client runs itself. */
  readonly clientNames: ReadonlySet<string>;
  readonly dialogue: Dialogue;
  /** The client wants a stream. */
  readonly stream: boolean;
  /** Aborts when the client is gone. */
  readonly gone: AbortSignal;
  /** Chats over tools that the request is within, where its head says so. */
  readonly depth?: number;
}

/**
 * Runs a request with hosted tools: lists them, asks the model, calls what it calls, asks again, until it has answered,
 * the client has to take over, or a bound is reached. Returns the refusal of a request that was not begun. What goes wrong
 * later is told by the dialogue; when the client goes, the model and all calls are ended at once.
 */
export async function runHosted(run: HostedRun): Promise<WireError | undefined> {
  const listings = await listTools(run);
  if ("status" in listings) return listings;
  const tools = offeredTools(listings, run.caller, run.clientNames);
  if ("status" in tools) return tools;
  const started = performance.now();
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error("the time of the tools is up")), run.bounds.time);
  try {
    await converse(
      run,
      listings,
      tools,
      AbortSignal.any([run.gone, late.signal]),
      () => performance.now() - started,
    );
  } finally {
    clearTimeout(timer);
  }
  return undefined;
}

async function converse(
  run: HostedRun,
  listings: readonly Listing[],
  tools: readonly OfferedTool[],
  signal: AbortSignal,
  elapsed: () => number,
): Promise<void> {
  const { dialogue, gone } = run;
  const loop = new ToolLoop(run.bounds, dialogue.manner, tools);
  const agreed = dialogue.offer(listings, tools);
  let plan: RoundPlan = loop.approved(agreed, elapsed());
  for (;;) {
    if (plan.stop === undefined) await callTools(run, loop, plan.run, signal);
    if (gone.aborted) return;
    for (const call of plan.approve) dialogue.asksFor(call);
    const stop = plan.stop ?? (plan.again ? loop.again(elapsed()) : undefined);
    if (stop !== undefined || !plan.again) {
      dialogue.finish(stop);
      return;
    }
    const next = await round(run, loop, elapsed);
    if (next === undefined) return;
    plan = next;
  }
}

/** Asks the model once; `undefined` when that ended the request. */
async function round(run: HostedRun, loop: ToolLoop, elapsed: () => number): Promise<RoundPlan | undefined> {
  const { dialogue, gone } = run;
  const answer = await run.ask({
    path: dialogue.path,
    body: dialogue.ask(),
    caller: run.caller,
    id: run.id,
    signal: gone,
    ...(run.stream ? { onEvent: (data) => dialogue.event(data) } : {}),
  });
  if (gone.aborted) return undefined;
  if (answer.status >= 400) {
    dialogue.fail(answer);
    return undefined;
  }
  const end = dialogue.ended(answer.body);
  if (end.kind === "broken") dialogue.fail(answer);
  if (end.kind === "over") dialogue.finish();
  return end.kind === "answered" ? loop.answered(end.calls, elapsed()) : undefined;
}

async function callTools(
  run: HostedRun,
  loop: ToolLoop,
  calls: readonly HostedCall[],
  signal: AbortSignal,
): Promise<void> {
  if (calls.length === 0) return;
  const { dialogue, host, events, bounds, caller, id: request, depth } = run;
  const { asksApproval } = dialogue.manner;
  const runner = new ToolRunner({
    host,
    events,
    bounds,
    caller,
    request,
    signal,
    asksApproval,
    ...(depth === undefined ? {} : { depth }),
  });
  const began = (call: HostedCall): void => dialogue.began(call);
  await runner.run(
    calls,
    () => loop.room,
    began,
    (call, result) => {
      loop.returned(Buffer.byteLength(result.text));
      if (!run.gone.aborted) dialogue.returned(call, result);
    },
  );
}

/** The tools of all servers; without one of them the request would be another than was meant. */
async function listTools(run: HostedRun): Promise<readonly Listing[] | WireError> {
  const { host, caller, bounds } = run;
  const time = new AbortController();
  const timer = setTimeout(() => time.abort(new Error("it did not answer in time")), bounds.callTime);
  const signal = AbortSignal.any([run.gone, time.signal]);
  try {
    return await Promise.all(
      run.servers.map(async (server) => {
        try {
          const tools = await orAborted(host.list(server.label, caller, signal), signal);
          return { server, tools };
        } catch (thrown) {
          throw new ListingFailed(server.label, messageOf(thrown));
        }
      }),
    );
  } catch (thrown) {
    if (!(thrown instanceof ListingFailed)) throw thrown;
    return {
      status: 424,
      type: "server_error",
      code: "tool_server_failed",
      param: "tools",
      message: `The tools of "${thrown.server}" cannot be listed: ${thrown.message}.`,
    };
  } finally {
    clearTimeout(timer);
  }
}

class ListingFailed extends Error {
  readonly server: string;

  constructor(server: string, message: string) {
    super(message.replace(/\.$/, ""));
    this.server = server;
  }
}

/** The promise's value, unless the signal comes first. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      const { reason }: { readonly reason: unknown } = signal;
      reject(reason instanceof Error ? reason : new Error("the request has ended"));
    };
    const settled = (): void => signal.removeEventListener("abort", aborted);
    signal.addEventListener("abort", aborted, { once: true });
    promise.then(resolve, reject).finally(settled);
    if (signal.aborted) aborted();
  });
}
