import { z } from "zod";
import type { ClusterObject } from "../../engines/engine.ts";
import type { Marks } from "./marks.ts";
import { annotationsOf, marksOf, NODE_LABEL, UNIT_LABEL } from "./marks.ts";
import type { Observed } from "./watched-objects.ts";

/** Kinds that keep pods, and where Omni asks for them. A cluster without the last one simply has none. */
export const WORKLOAD_KINDS: readonly (readonly [apiVersion: string, kind: string])[] = [
  ["apps/v1", "Deployment"],
  ["apps/v1", "StatefulSet"],
  ["leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet"],
];

type Fields = Readonly<Record<string, unknown>>;

const FIELDS = z.record(z.string(), z.unknown());
const fields = (value: unknown): Fields => FIELDS.safeParse(value).data ?? {};

const withLabels = (object: Fields, labels: Fields, annotations: Fields = {}): Fields => {
  const metadata = fields(object["metadata"]);
  return {
    ...object,
    metadata: {
      ...metadata,
      labels: { ...fields(metadata["labels"]), ...labels },
      ...(Object.keys(annotations).length === 0
        ? {}
        : { annotations: { ...fields(metadata["annotations"]), ...annotations } }),
    },
  };
};

/** A workload with the marks of one start on itself and on the pods that it will make; its selector stays. */
export function markedWorkload(object: ClusterObject, marks: Marks, node: string): ClusterObject {
  const labels = { [NODE_LABEL]: node, [UNIT_LABEL]: marks.unit };
  const marked = withLabels(object, labels, annotationsOf(marks));
  const spec = fields(object["spec"]);
  const templates = Object.fromEntries(
    Object.entries(spec).map(([key, value]) => {
      if (key === "template") return [key, withLabels(fields(value), labels)];
      if (key !== "leaderWorkerTemplate") return [key, value];
      const group = Object.entries(fields(value)).map(([name, part]) =>
        name.endsWith("Template") ? [name, withLabels(fields(part), labels)] : [name, part],
      );
      return [key, Object.fromEntries(group)];
    }),
  );
  return { ...object, ...marked, spec: { ...templates, replicas: 1 } };
}

/** What belongs to a workload, with the label of the node that keeps it. */
export const markedObject = (object: ClusterObject, node: string): ClusterObject => ({
  ...object,
  ...withLabels(object, { [NODE_LABEL]: node }),
});

const WORKLOAD = z.object({
  kind: z.string().optional(),
  metadata: z.object({ name: z.string(), uid: z.string(), generation: z.number().default(0) }),
  spec: z.object({ replicas: z.number().default(1) }),
  status: z
    .object({
      observedGeneration: z.number().optional(),
      conditions: z
        .array(
          z.object({
            type: z.string(),
            status: z.string(),
            reason: z.string().default(""),
            message: z.string().default(""),
          }),
        )
        .default([]),
    })
    .prefault({}),
});

/** A Deployment, StatefulSet or LeaderWorkerSet of ours as the API shows it. */
export interface Workload extends Observed {
  readonly name: string;
  readonly marks: Marks;
  readonly replicas: number;
  /** The newest `metadata.generation` that its controller has acted on; `undefined` for a kind that does not tell. */
  readonly observedGeneration: number | undefined;
  /** Why its controller cannot make pods, in its own words; `undefined` when it can. */
  readonly failure: string | undefined;
}

/** A workload of ours; `undefined` for what is none. */
export function readWorkload(object: unknown): Workload | undefined {
  const parsed = WORKLOAD.safeParse(object).data;
  const marks = marksOf(object);
  if (parsed === undefined || marks === undefined) return undefined;
  const { metadata, spec, status } = parsed;
  const observed = (status.observedGeneration ?? Infinity) >= metadata.generation;
  const failed = status.conditions.find(
    ({ type, status: is, reason }) =>
      (type === "ReplicaFailure" && is === "True") ||
      (type === "Progressing" && reason === "ProgressDeadlineExceeded"),
  );
  return {
    uid: metadata.uid,
    name: metadata.name,
    marks,
    replicas: spec.replicas,
    observedGeneration: status.observedGeneration,
    failure: observed && failed !== undefined ? `${failed.reason}: ${failed.message}` : undefined,
  };
}
