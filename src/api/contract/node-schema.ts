import { z } from "zod";
import { count, duration, instant, listOf, share, text } from "./shapes.ts";

/** A finding of spec, plan or advice: `Diagnostic` of the core. */
export const diagnostic = z
  .object({
    code: text,
    severity: z.enum(["error", "warning", "note"]),
    message: text,
    path: text.exactOptional(),
    file: text.exactOptional(),
    line: count.exactOptional(),
    column: count.exactOptional(),
    hint: text.exactOptional(),
    source: text.exactOptional(),
  })
  .meta({ id: "Diagnostic" });

const serviceState = z.enum([
  "stopped",
  "unloaded",
  "queued",
  "starting",
  "loading",
  "ready",
  "draining",
  "asleep",
  "backing-off",
  "failed",
  "stopping",
]);

const ladder = z.object({
  rung: count,
  changes: listOf(text),
  because: text,
  since: instant,
  backWhen: text,
});

const load = z.object({
  running: count.exactOptional(),
  waiting: count.exactOptional(),
  kvUsed: share.exactOptional(),
  promptTokens: count.exactOptional(),
  generatedTokens: count.exactOptional(),
  preempted: count.exactOptional(),
  progress: count.exactOptional(),
});

/** A service at one moment: `ServiceView` of the supervisor. */
export const service = z
  .object({
    name: text,
    engine: text,
    kind: text.exactOptional(),
    model: text,
    state: serviceState,
    reason: text.exactOptional(),
    progress: share.exactOptional(),
    eta: duration.exactOptional(),
    pid: count.exactOptional(),
    restarts: count,
    contextTokens: count,
    parallel: count,
    queueLimit: count.exactOptional(),
    capabilities: listOf(text).exactOptional(),
    since: instant,
    devices: listOf(text).exactOptional(),
    inFlight: count.exactOptional(),
    load: load.exactOptional(),
    ladder: ladder.exactOptional(),
    longPrompts: z.object({ above: count, to: text }).exactOptional(),
    divertedTo: text.exactOptional(),
    simulated: z.literal(true).exactOptional(),
    adopted: z.literal(true).exactOptional(),
    endpoint: z.unknown().exactOptional(),
    digest: text.exactOptional(),
  })
  .meta({ id: "Service" });

const condition = z.object({
  promptTokens: z.object({ above: count.exactOptional(), below: count.exactOptional() }).exactOptional(),
  needs: listOf(text).exactOptional(),
  keys: listOf(text).exactOptional(),
  headers: z.record(text, text).readonly().exactOptional(),
  hours: z.object({ from: count, to: count }).exactOptional(),
});

/** A name that clients ask for: `PlannedRoute` of the plan. */
export const route = z
  .object({
    name: text,
    services: listOf(text),
    rules: z
      .object({
        route: text,
        strategy: z.enum(["ordered", "weighted", "least-loaded"]),
        sticky: z.enum(["none", "session", "prefix"]),
        retries: count,
        continue: z.boolean(),
        hedge: z.object({ after: duration, below: count.exactOptional() }).exactOptional(),
        timeouts: z.object({ firstByte: duration, idle: duration, total: duration }),
        candidates: listOf(
          z.object({
            service: text,
            weight: count,
            when: condition.exactOptional(),
            maxConcurrent: count.exactOptional(),
          }),
        ),
      })
      .exactOptional(),
  })
  .meta({ id: "Route" });

/** What a service was asked for and gave since the gateway started. */
export const traffic = z
  .object({
    attempts: count,
    inFlight: count,
    retried: count,
    cut: count,
    continued: count,
    promptTokens: count,
    completionTokens: count,
  })
  .meta({ id: "Traffic" });

/** The node at one moment. */
export const status = z
  .object({
    version: text,
    url: text,
    pid: count,
    /** Processes that serve its port, where several do. */
    workers: listOf(count).exactOptional(),
    started: instant,
    uptime: duration,
    stopping: z.boolean(),
    services: listOf(service),
    routes: listOf(route),
    diagnostics: listOf(diagnostic),
    traffic: z.record(text, traffic),
  })
  .meta({ id: "Status" });

/** Who asks, and what of the console is for them. */
export const session = z
  .object({
    /** Name of the node's spec. */
    node: text,
    version: text,
    /** Name of the caller's key; `local` on a node without keys. */
    key: text,
    admin: z.boolean(),
    /** False where the node asks nobody for a key. */
    keysRequired: z.boolean(),
    simulated: z.boolean(),
    /** Parts of the node that are there: `tools`, `images`, `planner`, `runbook`, `keys`. */
    parts: listOf(text),
  })
  .meta({ id: "Session" });

export const serviceAction = z.enum(["load", "unload", "restart", "drain", "resume", "step-down", "step-up"]);

export const orderAnswer = z.object({ service: text, action: serviceAction, ok: z.boolean(), message: text });

/** The end of an engine's log, and what was made of its last failure. */
export const serviceLog = z
  .object({
    lines: listOf(text),
    /** False where its engine keeps no log that Omni can read; `why` says so. */
    available: z.boolean(),
    why: text.exactOptional(),
  })
  .meta({ id: "ServiceLog" });

/** How a service answered over one step of time, from the books of requests. */
export const servicePoint = z
  .object({
    /** When the step begins. */
    time: instant,
    requests: count,
    failed: count,
    /** Milliseconds to the first token: the median and the 95th of 100. */
    ttft: z.object({ p50: duration, p95: duration }).exactOptional(),
    /** Tokens a second that one answer came at, the median. */
    tokensPerSecond: count.exactOptional(),
    completionTokens: count,
  })
  .meta({ id: "ServicePoint" });
