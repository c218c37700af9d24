import type { V1ObjectMeta } from "@kubernetes/client-node";
import { PREFIX } from "./labels.ts";
import type { Data } from "./object.ts";

/** Metadata of a workload that stays at 0 replicas, with the reason where `kubectl describe` shows it; as it is without one. */
export const notStarted = (metadata: Data<V1ObjectMeta>, reason: string | undefined): Data<V1ObjectMeta> =>
  reason === undefined
    ? metadata
    : { ...metadata, annotations: { ...metadata.annotations, [`${PREFIX}/not-started-because`]: reason } };
