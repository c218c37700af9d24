import { z } from "zod";
import type { LaunchSpec } from "../../engines/engine.ts";

const SERVICE = z.object({
  kind: z.literal("Service"),
  metadata: z.object({ name: z.string() }),
  spec: z.object({ ports: z.array(z.object({ name: z.string().optional(), port: z.number() })) }),
});

/**
 * Where an engine is reached from inside the cluster: the first Service that its start brings, at its port `http` or its
 * first. `undefined` without a Service: then a local port carries to the pod.
 */
export function serviceAddress(
  launch: LaunchSpec,
  namespace: string,
): { readonly host: string; readonly port: number } | undefined {
  for (const object of launch.objects ?? []) {
    const service = SERVICE.safeParse(object).data;
    const port = service?.spec.ports.find(({ name }) => name === "http") ?? service?.spec.ports[0];
    if (service === undefined || port === undefined) continue;
    return { host: `${service.metadata.name}.${namespace}.svc`, port: port.port };
  }
  return undefined;
}
