import { setTimeout as sleep } from "node:timers/promises";
import { OmniError } from "../../../core/index.ts";
import type { Difference, Manifest } from "../../cluster/cluster-api.ts";
import type { ClusterApi } from "../../cluster/cluster-api.ts";
import { podLabels, rolloutOf } from "../../cluster/rollout.ts";
import type { Rollout } from "../../cluster/rollout.ts";
import type { Observation, StepContext } from "../../step.ts";

const POLL_MS = 1000;
const LAST_LINES = 12;

export const named = ({ kind, metadata }: Manifest): string => `${kind} ${metadata.name}`;

/** Whether the cluster has these objects as they are here, and what they bring about is up. */
export async function observeObjects(api: ClusterApi, objects: readonly Manifest[]): Promise<Observation> {
  const evidence: string[] = [];
  for (const object of objects) {
    const difference = await api.difference(object);
    if (difference.kind !== "none") return { done: false, missing: missingWords(object, difference) };
    const rollout = await rolloutIn(api, object, difference.live);
    if (rollout.state !== "there") return { done: false, missing: `${named(object)}: ${rollout.words}` };
    evidence.push(`${named(object)}: ${rollout.words}`);
  }
  return { done: true, evidence };
}

function missingWords(object: Manifest, difference: Exclude<Difference, { kind: "none" }>): string {
  if (difference.kind === "absent") return `${named(object)} is not there`;
  if (difference.kind === "immutable") return `${named(object)} has to be made anew`;
  return `${named(object)} differs at ${difference.paths.slice(0, 4).join(", ")}`;
}

/**
 * Applies what differs, in order, and waits until all of it is up. A Job whose template changed, or that failed, is deleted
 * and made anew; nothing else is ever deleted. Throws OmniError `cluster.*`, or what keeps the pods from running with their
 * last words.
 */
export async function applyObjects(
  api: ClusterApi,
  objects: readonly Manifest[],
  context: StepContext,
): Promise<void> {
  for (const object of objects) await applyOne(api, object, context);
  for (const [index, object] of objects.entries()) {
    await untilThere(
      api,
      object,
      (words) => context.progress({ done: index, total: objects.length, unit: "steps", text: words }),
      context.signal,
    );
  }
}

async function applyOne(api: ClusterApi, object: Manifest, context: StepContext): Promise<void> {
  const difference = await api.difference(object);
  if (difference.kind === "none") {
    const rollout = await rolloutIn(api, object, difference.live);
    if (object.kind !== "Job" || rollout.state !== "failed") return;
    context.note(`${named(object)} had failed (${rollout.words}) and is run again.`);
  }
  if (object.kind === "Job" && difference.kind !== "absent") await api.remove(object, context.signal);
  else if (difference.kind === "immutable")
    throw new OmniError("cluster.refused", `${named(object)} cannot be changed: ${difference.message}`, {
      hint: `Look at it, and delete it when nothing needs it: kubectl -n ${object.metadata.namespace ?? "default"} delete ${object.kind.toLowerCase()} ${object.metadata.name}`,
    });
  await api.apply(object);
  context.note(`applied ${named(object)} on ${api.server}`);
}

async function untilThere(
  api: ClusterApi,
  object: Manifest,
  tell: (words: string) => void,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const live = await api.get(object);
    const rollout = await rolloutIn(api, object, live);
    if (rollout.state === "there") return;
    if (rollout.state === "failed") throw await failure(api, object, live, rollout);
    tell(`${named(object)}: ${rollout.words}`);
    await sleep(POLL_MS, undefined, { signal });
  }
}

async function rolloutIn(api: ClusterApi, object: Manifest, live: unknown): Promise<Rollout> {
  const labels = podLabels(live);
  const pods = labels === undefined ? [] : await api.pods(object.metadata.namespace ?? "", labels);
  return rolloutOf(live, pods);
}

async function failure(
  api: ClusterApi,
  object: Manifest,
  live: unknown,
  { code, words, hint }: Extract<Rollout, { state: "failed" }>,
): Promise<OmniError> {
  const namespace = object.metadata.namespace ?? "";
  const pods = await api.pods(namespace, podLabels(live) ?? {});
  const last = pods.at(-1);
  const lines = last === undefined ? [] : await api.lastLines(namespace, last, LAST_LINES);
  const said = lines.length === 0 ? "" : ` Its last words:\n${lines.join("\n")}`;
  return new OmniError(code, `${named(object)}: ${words}.${said}`, {
    hint: hint ?? `kubectl -n ${namespace} describe pod ${last?.name ?? object.metadata.name}`,
  });
}
