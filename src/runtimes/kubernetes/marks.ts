import { createHash } from "node:crypto";
import { z } from "zod";

/** Prefix of Omni's labels, the same as in what it renders. */
const PREFIX = "omni.internal";
/** On a workload, on its pods and on all that belongs to it: the node whose Omni keeps it. */
export const NODE_LABEL = `${PREFIX}/node`;
/** On a workload and on its pods: which start made them. */
export const UNIT_LABEL = `${PREFIX}/unit`;
/** On a workload: what a later Omni needs to know it again. */
const SERVICE = `${PREFIX}/service-name`;
const DIGEST = `${PREFIX}/digest`;
const STARTED = `${PREFIX}/started-at`;
const REACHED = `${PREFIX}/reached-at`;

/** What a workload of ours says of itself. */
export interface Marks {
  readonly unit: string;
  readonly service: string;
  readonly digest: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Host and port at which Omni reaches it; the next Omni tries for the same. */
  readonly host: string;
  readonly port: number;
}

/** A node's name as the value of a label: readable, and distinct by eight digits of its SHA-256. */
export function nodeLabel(node: string): string {
  const text = node
    .replaceAll(/[^A-Za-z0-9]+/g, "-")
    .slice(-40)
    .replaceAll(/^-+|-+$/g, "");
  const mark = createHash("sha256").update(node).digest("hex").slice(0, 8);
  return text === "" ? mark : `${text}-${mark}`;
}

export const annotationsOf = (marks: Marks): Readonly<Record<string, string>> => ({
  [SERVICE]: marks.service,
  [DIGEST]: marks.digest,
  [STARTED]: new Date(marks.startedAt).toISOString(),
  [REACHED]: `${marks.host}:${marks.port}`,
});

const WORDS = z.record(z.string(), z.string()).default({});
const MARKED = z.object({ metadata: z.object({ labels: WORDS, annotations: WORDS }) });

/** The marks of a workload; `undefined` for one that carries none. */
export function marksOf(object: unknown): Marks | undefined {
  const { labels, annotations } = MARKED.safeParse(object).data?.metadata ?? { labels: {}, annotations: {} };
  const unit = labels[UNIT_LABEL];
  const service = annotations[SERVICE];
  if (unit === undefined || service === undefined) return undefined;
  const startedAt = Date.parse(annotations[STARTED] ?? "");
  const [, host = "", port = ""] = /^(.*):(\d+)$/.exec(annotations[REACHED] ?? "") ?? [];
  return {
    unit,
    service,
    digest: annotations[DIGEST] ?? "",
    startedAt: Number.isNaN(startedAt) ? 0 : startedAt,
    host,
    port: Number(port),
  };
}
