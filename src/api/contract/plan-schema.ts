import { z } from "zod";
import { diagnostic, route } from "./node-schema.ts";
import { bytes, count, duration, instant, listOf, text } from "./shapes.ts";

const memoryPart = z.object({
  term: z.enum(["weights", "kvCache", "compute", "overhead"]),
  name: text,
  bytes,
});

const memoryTerms = z
  .object({
    device: text,
    weights: bytes,
    kvCache: bytes,
    compute: bytes,
    overhead: bytes,
    total: bytes,
    capacity: bytes,
    parts: listOf(memoryPart).exactOptional(),
  })
  .meta({ id: "MemoryTerms" });

const rung = z.object({
  step: text,
  change: text,
  frees: listOf(z.object({ device: text, bytes })),
  to: text.exactOptional(),
  contextTokens: count.exactOptional(),
  parallel: count.exactOptional(),
  settings: z.unknown().exactOptional(),
  above: count.exactOptional(),
  unloads: listOf(text).exactOptional(),
  noEffect: text.exactOptional(),
});

/** A service with everything decided: `PlannedService` of the plan. */
const plannedService = z
  .object({
    name: text,
    machine: text.exactOptional(),
    runtime: z.enum(["process", "docker", "kubernetes"]).exactOptional(),
    role: text.exactOptional(),
    replicaOf: text.exactOptional(),
    engine: z.object({
      name: text,
      kind: text.exactOptional(),
      version: text,
      image: text.exactOptional(),
    }),
    model: z.object({ name: text, path: text, sizeBytes: bytes }),
    capabilities: listOf(text).exactOptional(),
    devices: listOf(text),
    uuids: listOf(text).exactOptional(),
    tensorParallel: count.exactOptional(),
    pipelineParallel: count.exactOptional(),
    cpus: text.exactOptional(),
    numaNode: count.exactOptional(),
    contextTokens: count,
    parallel: count,
    queueLimit: count,
    threads: count,
    settings: z.unknown().exactOptional(),
    kvCache: z
      .object({ bytesPerToken: count, bytes, tokens: count, concurrency: count, type: text })
      .exactOptional(),
    memory: listOf(memoryTerms),
    resident: z.boolean().exactOptional(),
    band: z.enum(["fits", "tight", "over"]).exactOptional(),
    port: count.exactOptional(),
    fallbacks: listOf(text).exactOptional(),
    ladder: listOf(rung).exactOptional(),
    reasons: listOf(text).exactOptional(),
    restart: z.object({ restarts: count, window: duration, backoffMin: duration, backoffMax: duration }),
    lifecycle: z
      .object({
        priority: count,
        pinned: z.boolean(),
        ttl: z.union([duration, z.literal(false)]).exactOptional(),
        after: listOf(text),
        drainTimeout: duration,
        warmUp: z.boolean(),
        strategy: z.enum(["recreate", "rolling"]),
      })
      .exactOptional(),
    loadTimeout: duration,
    extraArguments: listOf(text),
  })
  .meta({ id: "PlannedService" });

const rejection = z
  .object({
    service: text,
    engine: text,
    model: text,
    devices: listOf(text),
    code: text,
    reason: text,
    hint: text,
    source: text.exactOptional(),
    alternative: z.literal(true).exactOptional(),
  })
  .meta({ id: "Rejection" });

const swapSet = z.object({
  name: text,
  devices: listOf(text),
  services: listOf(text),
  standing: text,
  reserves: listOf(z.object({ device: text, bytes })),
});

const ledgerDevice = z
  .object({
    device: text,
    machine: text,
    kind: z.enum(["gpu", "memory", "disk"]),
    label: text,
    capacity: bytes,
    headroom: bytes,
    entries: listOf(z.object({ service: text, bytes, swapSet: text.exactOptional() })),
    free: bytes,
  })
  .meta({ id: "LedgerDevice" });

/** The frozen result of planning, as `omni plan --json` prints it. */
const plan = z
  .object({
    gateway: z.object({ host: text, port: count }),
    services: listOf(plannedService),
    routes: listOf(route),
    rejected: listOf(rejection),
    swapSets: listOf(swapSet).exactOptional(),
    ledger: listOf(ledgerDevice).exactOptional(),
    diagnostics: listOf(diagnostic),
  })
  .meta({ id: "Plan" });

const tookTerms = z.object({
  weights: bytes.exactOptional(),
  kvCache: bytes.exactOptional(),
  compute: bytes.exactOptional(),
  total: bytes.exactOptional(),
});

/** What an engine really took at one start, beside what was predicted: `Measurement` of the store. */
const measured = z
  .object({
    id: count,
    time: instant,
    service: text,
    model: text,
    engine: text,
    version: text,
    cards: listOf(text),
    settings: text,
    devices: listOf(
      z.object({ device: text, uuid: text.exactOptional(), predicted: tookTerms, took: tookTerms }),
    ),
    predictedKvTokens: count.exactOptional(),
    kvTokens: count.exactOptional(),
    loadTime: duration.exactOptional(),
    tokensPerSecond: count.exactOptional(),
  })
  .meta({ id: "Measured" });

/** The plan that the node runs, with the text that it came from. */
export const runningPlan = z
  .object({
    /** Where the spec came from: a file, or `the demo`. */
    origin: text,
    /** The spec as its owner wrote it. */
    text,
    plan,
    measured: listOf(measured),
  })
  .meta({ id: "RunningPlan" });

/** One value of the spec that is tried: its path as diagnostics write it, and JSON; `null` takes it out. */
const planChange = z.strictObject({ path: text.min(1).max(1000), value: z.unknown() });

/**
 * What is tried: changes of the running spec, or a whole text in its place, or changes of that. A trial asks no hub and opens
 * no file that the running spec does not name: a model of another one is planned by its `family` or `shape`, or refused.
 */
export const planTrial = z.strictObject({
  text: text.max(1_048_576).exactOptional(),
  changes: z.array(planChange).max(100).readonly().exactOptional(),
});

/** What a trial comes to, by the code of `omni plan`. The node itself is not changed. */
export const planTried = z
  .object({
    /** The spec with the changes, comments and order kept: what an export writes. */
    text,
    /** Absent where the spec is wrong: `diagnostics` says why. */
    plan: plan.exactOptional(),
    diagnostics: listOf(diagnostic),
    /** What is different from the running plan, a line each, as `omni plan A B` prints it. */
    differences: listOf(text),
  })
  .meta({ id: "PlanTried" });
