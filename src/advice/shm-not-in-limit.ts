import { formatBytes, GIB } from "../core/index.ts";
import type { Spec, SpecPath } from "../spec/index.ts";
import { quantityBytes } from "./kubernetes-quantity.ts";
import type { AdviceInput, Rule } from "./rule.ts";

type Service = Spec["services"][string];

/** The limit on main memory of a service's container, and where it stands. */
function limitOf(
  name: string,
  service: Service,
): { readonly bytes: number; readonly at: SpecPath } | undefined {
  const typed = quantityBytes(service.resources?.limits?.["memory"]);
  if (typed !== undefined && service.runtime === "kubernetes")
    return { bytes: typed, at: ["services", name, "resources", "limits", "memory"] };
  return service.memory === undefined
    ? undefined
    : { bytes: service.memory, at: ["services", name, "memory"] };
}

/** Main memory that the plan has the engine itself take, shared memory not counted. */
const ownBytes = ({ plan }: AdviceInput, name: string): number =>
  (plan.services.find((placed) => placed.name === name)?.memory ?? [])
    .filter(({ device }) => device === "cpu" || device.endsWith("/cpu"))
    .reduce((sum, terms) => sum + terms.total - sharedPart(terms), 0);

const sharedPart = ({ parts }: AdviceInput["plan"]["services"][number]["memory"][number]): number =>
  (parts ?? []).find(({ name }) => name.startsWith("shared memory"))?.bytes ?? 0;

/** Shared memory that leaves no room within the limit it counts against. */
export const shmNotInLimit: Rule = {
  code: "shm-not-in-limit",
  severity: "error",
  source:
    "Kubernetes, emptyDir with medium Memory: counts against the memory limit of the container that writes it",
  find: (input) =>
    Object.entries(input.spec.services).flatMap(([name, service]) => {
      const { shm, runtime } = service;
      const limit = limitOf(name, service);
      if (shm === undefined || limit === undefined || runtime === "process") return [];
      const own = ownBytes(input, name);
      if (shm + own < limit.bytes) return [];
      const engine =
        own === 0 ? "" : ` + ${formatBytes(own)} that the engine itself takes = ${formatBytes(shm + own)}`;
      const enough = Math.ceil((shm + Math.max(own, 8 * GIB)) / GIB);
      return [
        {
          at: limit.at,
          message: `/dev/shm of ${formatBytes(shm)}${engine}, and the limit is ${formatBytes(limit.bytes)}: shared memory counts against it, so the container is killed (OOMKilled) before /dev/shm is full.`,
          hint:
            limit.at.at(-1) === "memory" && limit.at.length === 3
              ? `memory: ${enough}GiB`
              : `memory: ${enough}Gi`,
          // What is filled only in part still works.
          severity: shm >= limit.bytes ? ("error" as const) : ("warning" as const),
        },
      ];
    }),
};
