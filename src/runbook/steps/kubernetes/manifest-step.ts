import { stepOfFile } from "./step-of-file.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Consent, Step } from "../../step.ts";
import { applyObjects, named, observeObjects } from "./apply-objects.ts";
import type { ClusterParts, ManifestFile } from "./cluster-parts.ts";
import { manifestsOf } from "./manifests-of.ts";

/** One file of manifests as a step: its objects applied by the server, and what they bring about up. */
export function manifestStep(parts: ClusterParts, file: ManifestFile, input: RunbookInput): Step {
  const { cluster, api } = parts;
  const objects = manifestsOf(file);
  const { id, phase, needs, timeout, asked } = stepOfFile(file, cluster, input);
  const consent = consentOf(file, input);
  return {
    id,
    phase,
    title: `${objects.map(named).join(", ")} in the cluster ${cluster.name}`,
    asked,
    needs,
    inputs: objects,
    timeout,
    retries: { times: 1, delay: 5000 },
    preview: objects.map((object) => `apply ${named(object)} (kubernetes/${cluster.name}/${file.path})`),
    ...(consent === undefined ? {} : { consent: async () => Promise.resolve(consent) }),
    verify: async () => observeObjects(await api(), objects),
    apply: async (context) => applyObjects(await api(), objects, context),
  };
}

/** The Job that prepares a disk formats it where the spec allows that: its owner agrees to that very disk. */
function consentOf({ brings }: ManifestFile, { deployment }: RunbookInput): Consent | undefined {
  if (brings?.kind !== "disk") return undefined;
  const disk = deployment.hosts.flatMap(({ disks }) => disks?.[brings.name] ?? [])[0];
  if (disk?.format !== "if-blank") return undefined;
  const identity = disk.serial ?? disk.wwn ?? disk.byId;
  if (identity === undefined) return undefined;
  return {
    token: `format:${identity}`,
    text: `The disk ${brings.name} (${identity}) gets a new ${disk.filesystem ?? "xfs"} file system if it is blank.`,
  };
}
