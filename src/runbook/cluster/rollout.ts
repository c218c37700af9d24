import { z } from "zod";
import type { Code } from "../../core/index.ts";
import type { Pod } from "../../runtimes/kubernetes/pod.ts";
import { troubleOf } from "../../runtimes/kubernetes/pod-trouble.ts";

/** How far an applied object is. */
export type Rollout =
  | { readonly state: "there" | "waiting"; readonly words: string }
  | { readonly state: "failed"; readonly code: Code; readonly words: string; readonly hint?: string };

/** Restarts after which a container that ends again and again is not waited for any more. */
const MOST_RESTARTS = 3;

const COUNT = z.number().default(0);
const LIVE = z.object({
  kind: z.string(),
  metadata: z.object({ name: z.string(), generation: z.number().default(0) }),
  spec: z.object({ replicas: z.number().default(1), suspend: z.boolean().default(false) }).prefault({}),
  status: z
    .object({
      phase: z.string().default(""),
      observedGeneration: COUNT,
      updatedReplicas: COUNT,
      readyReplicas: COUNT,
      availableReplicas: z.number().optional(),
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), message: z.string().default("") }))
        .default([]),
    })
    .prefault({}),
});
type Live = z.infer<typeof LIVE>;

/** Kinds whose pods are waited for. */
const WORKLOADS = new Set(["Deployment", "StatefulSet", "LeaderWorkerSet"]);

/** The labels by which a live object's pods are found; none where it keeps no pods. */
export function podLabels(live: unknown): Readonly<Record<string, string>> | undefined {
  const shape = z.object({
    kind: z.string(),
    metadata: z.object({ name: z.string() }),
    spec: z
      .object({
        selector: z.object({ matchLabels: z.record(z.string(), z.string()).optional() }).optional(),
      })
      .prefault({}),
  });
  const parsed = shape.safeParse(live).data;
  if (parsed === undefined) return undefined;
  if (parsed.kind === "Job") return { "job-name": parsed.metadata.name };
  if (parsed.kind === "LeaderWorkerSet") return { "leaderworkerset.sigs.k8s.io/name": parsed.metadata.name };
  return WORKLOADS.has(parsed.kind) ? parsed.spec.selector?.matchLabels : undefined;
}

/** How far a live object is, by its own status and that of its pods. Objects that keep no pods are there once they exist. */
export function rolloutOf(live: unknown, pods: readonly Pod[]): Rollout {
  const object = LIVE.safeParse(live).data;
  if (object === undefined) return { state: "there", words: "there" };
  if (object.kind === "Job") return jobRollout(object, pods);
  if (!WORKLOADS.has(object.kind)) return { state: "there", words: `${object.kind} is there` };
  return workloadRollout(object, pods);
}

function workloadRollout({ metadata, spec, status }: Live, pods: readonly Pod[]): Rollout {
  if (spec.replicas === 0)
    return { state: "there", words: "0 replicas: the plan refuses it, so nothing is started" };
  const current = status.observedGeneration >= metadata.generation;
  const ready = status.availableReplicas ?? status.readyReplicas;
  if (current && status.updatedReplicas >= spec.replicas && ready >= spec.replicas)
    return { state: "there", words: `${ready} of ${spec.replicas} pods ready` };
  return troubleAmong(pods) ?? { state: "waiting", words: `${ready} of ${spec.replicas} pods ready` };
}

function jobRollout({ spec, status }: Live, pods: readonly Pod[]): Rollout {
  const is = (type: string) => status.conditions.find((one) => one.type === type && one.status === "True");
  if (is("Complete") !== undefined) return { state: "there", words: "the Job is complete" };
  const failed = is("Failed");
  if (failed !== undefined)
    return { state: "failed", code: "runbook.step-failed", words: `the Job failed: ${failed.message}` };
  if (spec.suspend)
    return { state: "there", words: "the Job is suspended: the plan refuses whoever reads the model" };
  return troubleAmong(pods) ?? { state: "waiting", words: "the Job is at work" };
}

/** The first thing that keeps a pod from running; one that ends again and again has failed. */
function troubleAmong(pods: readonly Pod[]): Rollout | undefined {
  for (const pod of pods.filter(({ deleting }) => !deleting)) {
    const trouble = troubleOf(pod);
    if (trouble?.fatal !== undefined)
      return {
        state: "failed",
        code: trouble.fatal,
        words: `pod ${pod.name}: ${trouble.message}`,
        ...(trouble.hint === undefined ? {} : { hint: trouble.hint }),
      };
    const restarts = pod.engine?.restartCount ?? 0;
    if (restarts >= MOST_RESTARTS && pod.engine?.ready !== true)
      return {
        state: "failed",
        code: "runbook.step-failed",
        words: `pod ${pod.name} has ended ${restarts} times`,
      };
    if (trouble !== undefined) return { state: "waiting", words: `pod ${pod.name}: ${trouble.message}` };
  }
  return undefined;
}
