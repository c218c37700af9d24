import { engineKindOf } from "../../catalog/index.ts";
import type { Spec } from "../../spec/index.ts";
import type { Store } from "../../store/index.ts";
import { createWatch } from "../../watch/index.ts";
import type { NodeWatch } from "../../watch/index.ts";

/** Where simulated cards are seen. */
export interface WatchedCards {
  readonly nvidiaSmi: string;
  readonly kernelLog: string;
}

/** Begins to watch this machine as the policies say; history goes to the store. */
export async function openNodeWatch(
  spec: Spec,
  simulated: WatchedCards | undefined,
  store: Store,
): Promise<NodeWatch> {
  const cards = wantsCards(spec);
  const watch = createWatch({
    interval: spec.policies.watch.interval,
    ...(simulated === undefined
      ? cards
        ? {}
        : { nvml: false, nvidiaSmi: false, kernelLog: false }
      : { nvml: false, nvidiaSmi: simulated.nvidiaSmi, kernelLog: simulated.kernelLog }),
  });
  watch.onReading((reading) => store.samples.record(reading));
  // Cards decide about starts from the first moment on; where there are none to see, nothing waits for them.
  if (cards) await watch.ready;
  return watch;
}

/** Whether an engine of the spec could be on a card of this machine. */
const wantsCards = (spec: Spec): boolean =>
  Object.values(spec.services).some(({ engine }) =>
    engine.some((name) => {
      const kind = engineKindOf(spec.engines[name] ?? { kind: name });
      return kind !== undefined && !kind.remote && kind.name !== "embedded";
    }),
  );
