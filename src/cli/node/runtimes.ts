import { createHash } from "node:crypto";
import { hostname } from "node:os";
import type { EventLog } from "../../core/index.ts";
import { OmniError, present } from "../../core/index.ts";
import { createProcessRuntime, createRemoteRuntime } from "../../runtimes/index.ts";
import type { Runtime } from "../../runtimes/index.ts";
import type { Spec } from "../../spec/index.ts";

/** Identity of a node: the same for the same state folder of the same machine. */
const nodeIdentity = (stateFolder: string): string =>
  createHash("sha256").update(`${hostname()}\n${stateFolder}`).digest("hex").slice(0, 16);

export interface RuntimesInput {
  readonly spec: Spec;
  readonly stateFolder: string;
  readonly events: EventLog;
  /** Everything is a process of this machine. */
  readonly simulated: boolean;
}

/** The runtimes that a spec's services may need, by name. Docker's and Kubernetes' parts are loaded where they are used. */
export async function createRuntimes(input: RuntimesInput): Promise<ReadonlyMap<Runtime["name"], Runtime>> {
  const { spec, stateFolder, events, simulated } = input;
  const names = new Set(Object.values(spec.services).map(({ runtime }) => (simulated ? "process" : runtime)));
  const onNote = (message: string): void => {
    events.record({ kind: "runtime.note", severity: "warning", message });
  };
  const node = nodeIdentity(stateFolder);
  const runtimes: Runtime[] = [createProcessRuntime({ stateFolder, onNote }), createRemoteRuntime()];
  if (names.has("docker")) {
    const { createDockerRuntime } = await import("../../runtimes/docker/index.ts");
    const { socket, dataRoot, dataFree, labels } = spec.runtime.docker;
    const { imageLayers } = await import("../../binaries/index.ts");
    const architecture = process.arch === "x64" ? "amd64" : process.arch;
    runtimes.push(
      createDockerRuntime({
        node,
        socket,
        onNote,
        dataRoot,
        imageLayers: (image) => imageLayers(image, { architecture }),
        ...present({ dataFree, labels }),
      }),
    );
  }
  if (names.has("kubernetes")) {
    const { createKubernetesRuntime } = await import("../../runtimes/kubernetes/index.ts");
    const { kubeconfig, context, namespace } = spec.runtime.kubernetes;
    runtimes.push(
      createKubernetesRuntime({
        node,
        namespace: namespace ?? spec.name,
        onNote,
        ...present({ kubeconfig, context }),
      }),
    );
  }
  return new Map(runtimes.map((runtime) => [runtime.name, runtime]));
}

/** The runtime of that name. Throws OmniError where this node has none. */
export function runtimeNamed(
  runtimes: ReadonlyMap<Runtime["name"], Runtime>,
  name: Runtime["name"],
): Runtime {
  const runtime = runtimes.get(name);
  if (runtime !== undefined) return runtime;
  throw new OmniError("engine.not-run-here", `This node has no runtime ${name}.`);
}
