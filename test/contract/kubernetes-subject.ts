import type { ClusterObject, LaunchSpec } from "../../src/engines/engine.ts";
import { createKubernetesRuntime } from "../../src/runtimes/kubernetes/index.ts";
import { fakeLaunch, fakeService } from "../fakes/fake-driver.ts";
import { engineObjects } from "../fakes/kubernetes-api/engine-objects.ts";
import type { RuntimeSubject } from "./runtime-subject.ts";

/** Kubeconfig of the cluster that the contract is held against; a host process finds it here too. */
export const KUBECONFIG_VARIABLE = "OMNI_TEST_KUBECONFIG";
export const NAMESPACE = "omni-test";

const ELSEWHERE = "its processes are of another machine, and nobody tells their numbers";

/** Objects as a rendering has them, of the command as it stands at the start. */
const withObjects = (launch: LaunchSpec): LaunchSpec => ({
  ...launch,
  objects: engineObjects(launch) satisfies readonly ClusterObject[],
});

/** Pods of a cluster whose kubelet runs commands of this machine, with the engine that misbehaves as told. */
export const subject: RuntimeSubject = {
  name: "kubernetes",
  ...(process.platform === "linux"
    ? {}
    : {
        absent: "pods of the fake kubelet have addresses of their own in 127.0.0.0/8, which only Linux has",
      }),
  make(stateFolder) {
    const runtime = createKubernetesRuntime({
      kubeconfig: process.env[KUBECONFIG_VARIABLE] ?? "/nowhere",
      namespace: NAMESPACE,
      node: stateFolder,
      backoff: [20, 200],
    });
    return {
      name: runtime.name,
      survivors: () => runtime.survivors(),
      allocate: (service, wants) => runtime.allocate(service, wants),
      start: (launch, onProgress) => runtime.start(withObjects(launch), onProgress),
      close: (options) => runtime.close(options),
    };
  },
  async launch(runtime, service, behaviour) {
    const address = await runtime.allocate(service, { socket: false });
    // Its standard input is at its end from the start, as in every container.
    return fakeLaunch(fakeService(service, { ...behaviour, ignoreLifeLine: true }), address);
  },
  adoptedStopped: { code: 0, signal: null },
  adoptedForced: { code: null, signal: "SIGKILL" },
  NOT_SUPPORTED: {
    "files before the start": "files come in a ConfigMap among the objects, not onto this machine",
    "processes are named": ELSEWHERE,
    "grandchildren gone after a kill": ELSEWHERE,
    "omni killed, nobody adopts": "a workload waits for the next Omni without a bound",
  },
};
