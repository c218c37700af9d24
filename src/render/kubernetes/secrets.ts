import { createHash } from "node:crypto";
import type { V1EnvVar } from "@kubernetes/client-node";
import type { Cluster, Deployment, Environment, SecretReference } from "../../deployment/index.ts";
import { kubernetesText } from "../escape/kubernetes-variable.ts";
import { hasGateway } from "./gateway-place.ts";
import { servicesOf } from "./labels.ts";
import { objectName } from "./object-name.ts";
import { modelsIn } from "./storage/model-nodes.ts";

/** The one Secret of a deployment in a namespace; its owner makes it, Omni renders only references to it. */
export const secretName = (deployment: Deployment): string => objectName(deployment.name, "secrets");

/**
 * Key of a reference in that Secret: the name of the variable, or the path of the file with dots for slashes. A path with
 * other characters gets eight digits of its SHA-256, so that two paths never meet in one key.
 */
export function secretKey({ env, file }: SecretReference): string {
  if (env !== undefined) return env;
  const path = file ?? "";
  const dotted = path.replace(/^\//, "").replaceAll("/", ".");
  if (/^(?:\/[\w-]+)+$/.test(path)) return dotted;
  const mark = createHash("sha256").update(path).digest("hex").slice(0, 8);
  return `${dotted.replaceAll(/[^\w.-]+/g, "_").slice(0, 200)}-${mark}`;
}

/** A variable of a container whose value comes out of the Secret. */
export const secretVariable = (
  name: string,
  reference: SecretReference,
  deployment: Deployment,
): V1EnvVar => ({
  name,
  valueFrom: { secretKeyRef: { name: secretName(deployment), key: secretKey(reference) } },
});

/** Variables of a container, secrets by reference; `at` is their path in omni.yaml. */
export const variablesOf = (environment: Environment, deployment: Deployment, at: string): V1EnvVar[] =>
  Object.entries(environment).map(([name, value]) =>
    typeof value === "string"
      ? { name, value: kubernetesText(value, `${at}.${name}`) }
      : secretVariable(name, value, deployment),
  );

/** Every secret that the objects of a cluster refer to, each once, in the order in which they are met. */
export function secretsOf(deployment: Deployment, cluster: Cluster): readonly SecretReference[] {
  const withGateway = hasGateway(deployment, cluster);
  const environments = [
    ...servicesOf(deployment, cluster).map((service) => service.environment),
    ...(withGateway ? [deployment.commandModule?.environment ?? {}] : []),
  ];
  const references = [
    ...environments.flatMap((environment) => Object.values(environment)),
    ...(withGateway ? deployment.gateway.secrets : []),
    ...modelsIn(deployment, cluster).flatMap((model) => model.download?.token ?? []),
  ].filter((value) => typeof value !== "string");
  return [...new Map(references.map((reference) => [secretKey(reference), reference])).values()];
}
