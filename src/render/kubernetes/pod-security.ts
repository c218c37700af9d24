import type { KubernetesObject, V1Container, V1PodSpec, V1PodTemplateSpec } from "@kubernetes/client-node";
import type { Diagnostic } from "../../core/index.ts";
import type { Cluster } from "../../deployment/index.ts";
import type { KubernetesFile } from "./kubernetes-file.ts";

/** Capabilities that `baseline` lets a container add; `restricted` takes only the last of them. */
const BASELINE_CAPABILITIES = new Set(
  "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT".split(
    " ",
  ),
);
/** Volumes that `restricted` knows. */
const RESTRICTED_VOLUMES = new Set([
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
]);

type Level = Cluster["podSecurity"];

interface Need {
  readonly level: Exclude<Level, "restricted">;
  readonly what: string;
}

const RANK: Readonly<Record<Level, number>> = { restricted: 0, baseline: 1, privileged: 2 };

const containersOf = (pod: V1PodSpec): readonly V1Container[] => [
  ...(pod.initContainers ?? []),
  ...pod.containers,
];

/** What a container needs beyond `restricted`. Source: kubernetes.io/docs/concepts/security/pod-security-standards. */
function containerNeeds({ name, securityContext: context = {}, ports = [] }: V1Container): Need[] {
  const added = context.capabilities?.add ?? [];
  const beyond = added.filter((one) => !BASELINE_CAPABILITIES.has(one));
  return [
    ...(context.privileged === true ? [{ level: "privileged" as const, what: `${name} is privileged` }] : []),
    ...(beyond.length > 0
      ? [{ level: "privileged" as const, what: `${name} adds the capability ${beyond.join(", ")}` }]
      : []),
    ...(ports.some((port) => port.hostPort !== undefined)
      ? [{ level: "privileged" as const, what: `${name} takes a port of the node` }]
      : []),
    ...(context.runAsNonRoot === true
      ? []
      : [{ level: "baseline" as const, what: `${name} may run as root` }]),
    ...(context.allowPrivilegeEscalation === false
      ? []
      : [{ level: "baseline" as const, what: `${name} may gain rights` }]),
    ...(context.capabilities?.drop?.includes("ALL") === true
      ? []
      : [{ level: "baseline" as const, what: `${name} keeps capabilities` }]),
    ...(added.some((one) => one !== "NET_BIND_SERVICE") && beyond.length === 0
      ? [{ level: "baseline" as const, what: `${name} adds the capability ${added.join(", ")}` }]
      : []),
    ...(context.seccompProfile === undefined
      ? [{ level: "baseline" as const, what: `${name} has no seccomp profile` }]
      : []),
  ];
}

/** All that a pod needs beyond `restricted`. */
function podNeeds(pod: V1PodSpec): readonly Need[] {
  const kinds = (pod.volumes ?? []).map((volume) => ({
    name: volume.name,
    kind: Object.keys(volume).find((key) => key !== "name") ?? "emptyDir",
  }));
  return [
    ...kinds
      .filter(({ kind }) => kind === "hostPath")
      .map(({ name }) => ({
        level: "privileged" as const,
        what: `the volume ${name} is a folder of the node (hostPath)`,
      })),
    ...kinds
      .filter(({ kind }) => kind !== "hostPath" && !RESTRICTED_VOLUMES.has(kind))
      .map(({ name, kind }) => ({ level: "baseline" as const, what: `the volume ${name} is a ${kind}` })),
    ...(pod.hostNetwork === true || pod.hostPID === true || pod.hostIPC === true
      ? [{ level: "privileged" as const, what: "it shares a namespace of the node" }]
      : []),
    ...containersOf(pod).flatMap((container) => containerNeeds(container)),
  ];
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

const isTemplate = (value: unknown): value is V1PodTemplateSpec =>
  isRecord(value) && isRecord(value["spec"]) && Array.isArray(value["spec"]["containers"]);

/** Pod templates of an object, wherever a workload keeps them; a Pod is its own. */
function podsIn(object: KubernetesObject): readonly V1PodSpec[] {
  const found: V1PodSpec[] = [];
  const visit = (value: unknown): void => {
    if (isTemplate(value) && value.spec !== undefined) found.push(value.spec);
    else if (isRecord(value)) Object.values(value).forEach(visit);
  };
  visit(object);
  return found;
}

/** Pods that the namespace's level refuses, each with what it needs and the level that allows it. */
export function podSecurityDiagnostics(files: readonly KubernetesFile[], cluster: Cluster): Diagnostic[] {
  return files.flatMap((file) =>
    file.objects
      .filter(({ metadata }) => metadata?.namespace === cluster.namespace)
      .flatMap((object) =>
        podsIn(object).flatMap((pod): Diagnostic[] => {
          const needs = podNeeds(pod).filter(({ level }) => RANK[level] > RANK[cluster.podSecurity]);
          if (needs.length === 0) return [];
          const level = needs.some((need) => need.level === "privileged") ? "privileged" : "baseline";
          return [
            {
              code: "render.not-applicable",
              severity: "error",
              path: "runtime.kubernetes.podSecurity",
              message: `podSecurity: ${cluster.podSecurity} refuses the pod of ${object.kind ?? ""} ${object.metadata?.name ?? ""} (${file.path}): ${needs.map(({ what }) => what).join("; ")}.`,
              hint: `runtime.kubernetes.podSecurity: ${level}`,
              source: "kubernetes.io/docs/concepts/security/pod-security-standards",
            },
          ];
        }),
      ),
  );
}
