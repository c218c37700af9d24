import { z } from "zod";
import type { Observed } from "./watched-objects.ts";

/** Events that tell nothing bad and still what a start waits for. */
const PROGRESS: ReadonlySet<string> = new Set(["Pulling", "Pulled"]);

const EVENT = z.object({
  metadata: z.object({ uid: z.string() }),
  type: z.string().default("Normal"),
  reason: z.string().nullish(),
  message: z.string().nullish(),
  count: z.number().nullish(),
  series: z.object({ count: z.number().default(1) }).nullish(),
  involvedObject: z.object({ uid: z.string().default("") }),
});

/** What the cluster says about a pod: scheduler, kubelet, controllers. The same one comes again with a higher count. */
export interface PodEvent extends Observed {
  readonly pod: string;
  readonly warning: boolean;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
}

/** An event of interest: a warning, or one of the pull of an image. */
export function readPodEvent(object: unknown): PodEvent | undefined {
  const parsed = EVENT.safeParse(object).data;
  if (parsed === undefined) return undefined;
  const { metadata, type, reason, message, count, series, involvedObject } = parsed;
  const warning = type === "Warning";
  if (!warning && !PROGRESS.has(reason ?? "")) return undefined;
  return {
    uid: metadata.uid,
    pod: involvedObject.uid,
    warning,
    reason: reason ?? "",
    message: (message ?? "").trim(),
    count: series?.count ?? count ?? 1,
  };
}
