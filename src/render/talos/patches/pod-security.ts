import { yamlDocument } from "../../documents/yaml.ts";
import { NO_PATCH } from "../talos-guest.ts";
import type { PatchResult, TalosGuest } from "../talos-guest.ts";

/** Namespace that the operator's chart is installed into by its documentation. */
const OPERATOR_NAMESPACE = "gpu-operator";

/**
 * `60-pod-security.yaml`: Talos enforces `baseline`, which forbids the privileged pods of the GPU operator, and Helm makes
 * their namespace without labels. Namespaces that Omni renders carry labels and need no exemption.
 */
export function podSecurityPatch(own: TalosGuest): PatchResult {
  if (own.guest.kubernetes?.gpuOperator === undefined) return NO_PATCH;
  const plugin = {
    name: "PodSecurity",
    configuration: {
      apiVersion: "pod-security.admission.config.k8s.io/v1",
      kind: "PodSecurityConfiguration",
      exemptions: { namespaces: [OPERATOR_NAMESPACE] },
    },
  };
  return {
    patch: {
      file: "60-pod-security.yaml",
      content: yamlDocument(
        { cluster: { apiServer: { admissionControl: [plugin] } } },
        `Machine config patch for control planes: no PodSecurity in the namespace ${OPERATOR_NAMESPACE}. Rendered by Omni from omni.yaml (guest ${own.name}), used by apply.sh. Talos enforces baseline, the GPU operator's pods are privileged, and Helm makes their namespace without labels. It is merged with the exemption of kube-system. Namespaces of Omni carry labels instead.`,
      ),
      reason: `Asked for by guests.${own.name}.kubernetes.gpuOperator: its pods are privileged.`,
      scope: "control-plane",
    },
    diagnostics: [],
  };
}
