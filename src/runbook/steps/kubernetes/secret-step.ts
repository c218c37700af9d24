import type { ClusterManifests } from "../../../render/index.ts";
import type { Manifest } from "../../cluster/cluster-api.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Step, StepContext } from "../../step.ts";
import { applyObjects, observeObjects } from "./apply-objects.ts";
import type { ClusterParts } from "./cluster-parts.ts";

const MINUTE = 60_000;

/**
 * The one Secret of a deployment in a cluster: its values are read at the moment of use, go to the API and nowhere else.
 * No step where nothing is secret.
 */
export function secretStep(
  { cluster, api }: ClusterParts,
  { name, keys }: ClusterManifests["secret"],
  input: RunbookInput,
): readonly Step[] {
  if (keys.length === 0) return [];
  const object = async (context: StepContext): Promise<Manifest> => {
    const data: Record<string, string> = {};
    for (const { key, from } of keys) {
      const value = await input.secret(from);
      const encoded = Buffer.from(value).toString("base64");
      context.hide(value);
      context.hide(encoded);
      data[key] = encoded;
    }
    return secretObject(name, cluster.namespace, data);
  };
  return [
    {
      id: `secret/${cluster.name}`,
      phase: "storage",
      title: `Secret ${name} in ${cluster.namespace}, with ${keys.map(({ key }) => key).join(", ")}`,
      asked: "keys",
      needs: [`namespace/${cluster.name}`],
      // Which values these are is nobody's to know, so that a changed one is found by looking.
      inputs: { name, namespace: cluster.namespace, keys: keys.map(({ key }) => key) },
      timeout: MINUTE,
      retries: { times: 2, delay: 2000 },
      preview: [
        `apply Secret ${name} (${keys.map(({ key, from }) => `${key} from ${from.env ?? from.file ?? ""}`).join(", ")})`,
      ],
      verify: async (context) => observeObjects(await api(), [await object(context)]),
      apply: async (context) => applyObjects(await api(), [await object(context)], context),
    },
  ];
}

const secretObject = (name: string, namespace: string, data: Readonly<Record<string, string>>): Manifest => {
  const metadata = { name, namespace, labels: { "app.kubernetes.io/managed-by": "omni" } };
  return Object.assign({ apiVersion: "v1", kind: "Secret", metadata }, { type: "Opaque", data });
};
