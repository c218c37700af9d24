import { afterEach, beforeEach } from "vitest";
import { OmniError } from "../../src/core/index.ts";
import type { LaunchSpec } from "../../src/engines/engine.ts";
import type { KubernetesRuntimeOptions } from "../../src/runtimes/kubernetes/index.ts";
import { createKubernetesRuntime } from "../../src/runtimes/kubernetes/index.ts";
import type { Runtime, Unit } from "../../src/runtimes/index.ts";
import { eventually } from "../fakes/alive.ts";
import { ask } from "../fakes/ask.ts";
import type { Behaviour } from "../fakes/fake-child.ts";
import { fakeLaunch, fakeService } from "../fakes/fake-driver.ts";
import type { EngineObjectChoices } from "../fakes/kubernetes-api/engine-objects.ts";
import { engineObjects } from "../fakes/kubernetes-api/engine-objects.ts";
import { FakeKubernetes } from "../fakes/kubernetes-api.ts";

/** A cluster and a runtime over it, anew for each test; nothing of either is left behind. */
export interface Bench {
  readonly cluster: FakeKubernetes;
  readonly runtime: Runtime;
  /** What the owner was told. */
  readonly notes: string[];
  /** Another runtime over the same cluster. */
  readonly another: (options?: Partial<KubernetesRuntimeOptions>) => Runtime;
  readonly launch: (behaviour?: Behaviour, choices?: EngineObjectChoices) => Promise<LaunchSpec>;
  readonly start: (behaviour?: Behaviour, choices?: EngineObjectChoices) => Promise<Unit>;
  /** Started, and it answers. */
  readonly startReady: (behaviour?: Behaviour, choices?: EngineObjectChoices) => Promise<Unit>;
  /** Name of the only pod. */
  readonly pod: () => string;
}

export function kubernetesBench(): () => Bench {
  let bench: Bench;
  const runtimes: Runtime[] = [];

  beforeEach(async () => {
    const cluster = await FakeKubernetes.start();
    const notes: string[] = [];
    const another = (options: Partial<KubernetesRuntimeOptions> = {}): Runtime => {
      const runtime = createKubernetesRuntime({
        kubeconfig: cluster.kubeconfig(),
        namespace: cluster.namespace,
        node: "/srv/omni/state",
        backoff: [10, 100],
        onNote: (note) => notes.push(note),
        ...options,
      });
      runtimes.push(runtime);
      return runtime;
    };
    const runtime = another();
    const launch = async (
      behaviour: Behaviour = {},
      choices: EngineObjectChoices = {},
    ): Promise<LaunchSpec> => {
      const address = await runtime.allocate("oracle", { socket: false });
      const spec = fakeLaunch(fakeService("oracle", { ...behaviour, ignoreLifeLine: true }), address);
      return { ...spec, objects: engineObjects(spec, choices) };
    };
    const start: Bench["start"] = async (behaviour, choices) =>
      runtime.start(await launch(behaviour, choices));
    bench = {
      cluster,
      runtime,
      notes,
      another,
      launch,
      start,
      async startReady(behaviour, choices) {
        const unit = await start(behaviour, choices);
        await answering(unit);
        return unit;
      },
      pod: () => cluster.pods()[0]?.metadata.name ?? "",
    };
  });

  afterEach(async () => {
    for (const runtime of runtimes.splice(0)) await runtime.close();
    await bench.cluster.close();
  });
  return () => bench;
}

export async function refusal(of: Promise<unknown>): Promise<OmniError> {
  const thrown: unknown = await of.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof OmniError) return thrown;
  throw new Error("no OmniError was thrown", { cause: thrown });
}

export async function answering(unit: Unit): Promise<void> {
  let answered = false;
  await eventually("the engine answers", () => {
    if (!answered) void ask(unit.address, "/health").then((status) => (answered ||= status === 200));
    return answered;
  });
}
