import type { Cluster, DeployedService, Deployment } from "../../deployment/index.ts";

/** Prefix of Omni's own labels and annotations; `internal` is the top-level domain that nobody can own. */
export const PREFIX = "omni.internal";

/** What an object belongs to. */
interface Labelled {
  /** The program: `vllm`, `omni-gateway`. */
  readonly name: string;
  /** This very installation of it, unique in the namespace; the program's name when absent. */
  readonly instance?: string;
  /** `engine`, `gateway`, `storage`, `shell`. */
  readonly component: string;
  /** Labels of the owner for this object alone. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** A value that a label can hold: Kubernetes' validation.IsValidLabelValue. */
const VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
/** A key of a label: optional DNS subdomain, then a name of at most 63 characters. */
const KEY =
  /^(?:(?=[^/]{1,253}\/)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** Whether Kubernetes takes the pair as a label; it refuses the whole object otherwise. */
const isLabel = (key: string, value: string): boolean => KEY.test(key) && VALUE.test(value);

/** Any text as a label's value or a DNS label: what it cannot hold becomes a hyphen, at most 63 characters. */
export const labelText = (text: string): string =>
  text
    .replaceAll(/[^A-Za-z0-9]+/g, "-")
    .slice(0, 63)
    .replaceAll(/^-+|-+$/g, "");

/** The two labels that find the pods of one workload; they never change, because a selector cannot. */
export const selectorOf = (labelled: Pick<Labelled, "name" | "instance">): Record<string, string> => ({
  "app.kubernetes.io/name": labelText(labelled.name),
  "app.kubernetes.io/instance": labelText(labelled.instance ?? labelled.name),
});

/**
 * The recommended labels of Kubernetes, after the owner's of the cluster and of the object itself. An owner's label that
 * Kubernetes would refuse is left out (`unfitLabels` names it), and none takes the place of a recommended one.
 */
export const labelsOf = (
  deployment: Deployment,
  cluster: Cluster,
  labelled: Labelled,
): Record<string, string> => ({
  ...Object.fromEntries(
    Object.entries({ ...cluster.labels, ...labelled.labels }).filter(([key, value]) => isLabel(key, value)),
  ),
  ...selectorOf(labelled),
  "app.kubernetes.io/component": labelText(labelled.component),
  "app.kubernetes.io/part-of": labelText(deployment.name),
  "app.kubernetes.io/managed-by": "omni",
});

/** Labels of the owner that Kubernetes takes neither as a key nor as a value. */
export const unfitLabels = (
  labels: Readonly<Record<string, string>>,
): readonly (readonly [string, string])[] =>
  Object.entries(labels).filter(([key, value]) => !isLabel(key, value));

/** The annotation that names the path in omni.yaml which asks for an object. */
export const ownerAnnotation = (path: string): Record<string, string> => ({
  [`${PREFIX}/asked-for-by`]: path,
});

/** What the objects of one service carry; the same for its Deployment, Service, claims and monitors. */
export const serviceLabelled = (service: DeployedService): Labelled => ({
  name: service.kind,
  instance: service.name,
  component: "engine",
  labels: service.labels,
});

/** Path in omni.yaml of a service; a further replica is asked for by its first. */
export const servicePath = (service: DeployedService): string =>
  `services.${service.replicaOf ?? service.name}`;

/** Services that run in a cluster, in the order of the spec. */
export const servicesOf = (deployment: Deployment, cluster: Cluster): readonly DeployedService[] =>
  deployment.services.filter(
    (service) =>
      service.runtime === "kubernetes" &&
      (service.cluster === undefined ? deployment.clusters[0] : { name: service.cluster })?.name ===
        cluster.name,
  );
