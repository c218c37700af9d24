import { expect, test } from "vitest";
import type { Pod } from "./pod.ts";
import { endedSince, exitOf, readPod } from "./pod.ts";
import { troubleOf, whyEnded } from "./pod-trouble.ts";

function podWith(status: Record<string, unknown>, nodeName = "node-0"): Pod {
  const pod = readPod({
    metadata: { name: "brain-1", uid: "u", labels: { "omni.internal/unit": "a" } },
    spec: {
      nodeName,
      containers: [{ name: "side" }, { name: "engine", image: "vllm:1", ports: [{ containerPort: 8000 }] }],
    },
    status,
  });
  if (pod === undefined) throw new Error("it is a pod");
  return pod;
}

const waiting = (reason: string, message = ""): Pod =>
  podWith({ containerStatuses: [{ name: "engine", state: { waiting: { reason, message } } }] });

test.each([
  ["ErrImagePull", "rpc error: code = NotFound: manifest unknown", "engine.no-image"],
  [
    "ImagePullBackOff",
    'Back-off pulling image "x": pull access denied, repository does not exist',
    "engine.no-image",
  ],
  ["ErrImagePull", "dial tcp 10.0.0.1:443: i/o timeout", undefined],
  ["InvalidImageName", "", "engine.no-image"],
  ["ErrImagePull", "write /var/lib/containerd/x: no space left on device", "engine.no-space"],
  [
    "CreateContainerConfigError",
    "couldn't find key HF_TOKEN in Secret ai/omni-secrets",
    "engine.not-started",
  ],
  ["RunContainerError", 'exec: "vllm": executable file not found in $PATH', "engine.no-binary"],
  ["RunContainerError", "nvidia-container-cli: initialization error", undefined],
])("%s (%s) ends a start: %s", (reason, words, code) => {
  const trouble = troubleOf(waiting(reason, words));
  expect(trouble?.fatal).toBe(code);
  expect(trouble?.message).toContain(words === "" ? reason : words);
});

test("a container that is being made is no trouble, and neither is one that the kubelet will start again", () => {
  expect(troubleOf(waiting("ContainerCreating"))).toBeUndefined();
  expect(troubleOf(waiting("CrashLoopBackOff", "back-off 10s"))).toBeUndefined();
});

test("the scheduler's reason is told while there is no node", () => {
  const message = "0/3 nodes are available: 3 node(s) had untolerated taint {nvidia.com/gpu: present}.";
  const conditions = [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message }];
  expect(troubleOf(podWith({ conditions }, ""))).toEqual({ message: `Unschedulable: ${message}` });
  expect(troubleOf(podWith({ conditions }))).toBeUndefined();
});

test.each([
  [{ exitCode: 0 }, { code: 0, signal: null }],
  [{ exitCode: 3 }, { code: 3, signal: null }],
  [{ exitCode: 137 }, { code: null, signal: "SIGKILL" }],
  [{ exitCode: 139 }, { code: null, signal: "SIGSEGV" }],
  [
    { exitCode: 0, signal: 15 },
    { code: null, signal: "SIGTERM" },
  ],
  [
    { exitCode: 137, reason: "OOMKilled" },
    { code: 137, signal: null },
  ],
  [
    { exitCode: 137, reason: "ContainerStatusUnknown" },
    { code: null, signal: null },
  ],
])("%o is the exit %o", (terminated, exit) => {
  const pod = podWith({ containerStatuses: [{ name: "engine", state: { terminated } }] });
  expect(exitOf(endedSince(pod, 0))).toEqual(exit);
});

test("a restart is an end, told by the last state; one from before is none", () => {
  const status = {
    name: "engine",
    restartCount: 2,
    state: { running: {} },
    lastState: { terminated: { exitCode: 1 } },
  };
  const pod = podWith({ containerStatuses: [status] });
  expect(exitOf(endedSince(pod, 1))).toEqual({ code: 1, signal: null });
  expect(endedSince(pod, 2)).toBeUndefined();
});

test("a pod that was taken away is told with the reason that the cluster gives", () => {
  const conditions = [
    { type: "DisruptionTarget", status: "True", reason: "PreemptionByScheduler", message: "preempting" },
  ];
  expect(whyEnded(podWith({ conditions }), undefined, false)).toContain("PreemptionByScheduler: preempting");
  expect(whyEnded(podWith({}), { exitCode: 1, reason: "Error", message: "" }, false)).toBeUndefined();
});
