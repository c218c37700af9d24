import type { Diagnostic } from "../../core/index.ts";
import type { Environment } from "../../deployment/index.ts";
import type { Pinning } from "./pinning.ts";

/** Variables that choose cards; a second choice beside the pinning would win over it, or hide what it gave. */
const CHOOSING = new Set(["NVIDIA_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES"]);
/** Resources that count cards. */
const COUNTING = /^nvidia\.com\//;

/** An environment without the variables that choose cards, and what was taken out of the owner's. */
export function withoutChoice(
  environment: Environment,
  chosen: Pinning,
  path: string,
): { readonly environment: Environment; readonly diagnostics: readonly Diagnostic[] } {
  const kept = Object.entries(environment).filter(([name]) => !CHOOSING.has(name));
  const dropped = Object.keys(environment).filter((name) => CHOOSING.has(name));
  return {
    environment: Object.fromEntries(kept),
    diagnostics: dropped.map((name) => ({
      code: "render.not-applicable",
      severity: chosen.environment[name] === environment[name] ? "note" : "warning",
      path: `${path}.environment.${name}`,
      message: `${name} is left out: a pod is given its cards by one mechanism, and Omni writes it.`,
      hint: `Remove ${name}; devices: says which cards.`,
      source: "kubelet_pods.go appends the pod's variables to the device plugin's",
    })),
  };
}

/** Resources as the owner wrote them, without those that count cards beside the pinning. */
export function withoutCounting(
  resources: Readonly<Record<string, string | number>>,
  chosen: Pinning,
  path: string,
): {
  readonly resources: Readonly<Record<string, string | number>>;
  readonly diagnostics: readonly Diagnostic[];
} {
  const dropped = Object.entries(resources).filter(([name]) => COUNTING.test(name));
  return {
    resources: Object.fromEntries(Object.entries(resources).filter(([name]) => !COUNTING.test(name))),
    diagnostics: dropped.flatMap(([name, count]): Diagnostic[] =>
      chosen.resources.limits?.[name] === `${count}`
        ? []
        : [
            {
              code: "render.not-applicable",
              severity: "warning",
              path: `${path}.${name}`,
              message: `${name}: ${count} is left out: beside another mechanism the kubelet books one card and the container uses another, and the count follows from devices.`,
              hint: `Remove ${name}; devices: and runtime.kubernetes.pinning say it.`,
              source: "NVIDIA/k8s-device-plugin#87",
            },
          ],
    ),
  };
}
