/**
 * Steps on a Kubernetes cluster: namespace, Secret, disks and downloads by Jobs, services, gateway, each a file of what is
 * rendered, applied by the server and waited for. Never here: installing the cluster (guest), and what an object looks
 * like (render).
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { clusterManifests } from "../../../render/index.ts";
import type { ClusterManifests } from "../../../render/index.ts";
import { ClusterApi } from "../../cluster/cluster-api.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Step } from "../../step.ts";
import type { ClusterParts } from "./cluster-parts.ts";
import { manifestStep } from "./manifest-step.ts";
import { secretStep } from "./secret-step.ts";

/** The steps of all clusters of a deployment; none where its services run elsewhere. */
export const kubernetesSteps = (input: RunbookInput): readonly Step[] =>
  input.deployment.runtime === "kubernetes"
    ? clusterManifests(input.deployment).flatMap((manifests) => clusterSteps(manifests, input))
    : [];

function clusterSteps({ cluster, files, secret }: ClusterManifests, input: RunbookInput): readonly Step[] {
  const parts: ClusterParts = { cluster, api: onceOpened(cluster, input.workFolder) };
  // What a person has to mean is asked for by its consent, not left out: a blank disk is why the runbook exists.
  const applied = files.filter(({ applied: how, brings }) => how !== "by-hand" || brings?.kind === "disk");
  return [...secretStep(parts, secret, input), ...applied.map((file) => manifestStep(parts, file, input))];
}

/** Opened when it is first asked for, and again after that failed: the kubeconfig may be a step's own work. */
function onceOpened(cluster: ClusterParts["cluster"], workFolder: string): ClusterParts["api"] {
  let opened: Promise<ClusterApi> | undefined;
  return () => {
    opened ??= ClusterApi.open(accessOf(cluster, workFolder)).catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
}

/** The kubeconfig that installing the guest left in the work folder, where nobody names another one. */
export function accessOf(
  { guest, name }: ClusterParts["cluster"],
  workFolder: string,
): { kubeconfig?: string } {
  if ((process.env["KUBECONFIG"] ?? "") !== "") return {};
  const kubeconfig = join(workFolder, `kubeconfig-${guest ?? name}`);
  return existsSync(kubeconfig) ? { kubeconfig } : {};
}
