import { z } from "zod";
import type { LaunchSpec } from "../../engines/engine.ts";

/** Label that says which node (state folder) a container belongs to. What carries another value is never touched. */
export const NODE_LABEL = "omni.node";

const labels = z.object({
  "omni.service": z.string(),
  "omni.unit": z.string(),
  "omni.digest": z.string(),
  "omni.started": z.coerce.number(),
  "omni.port": z.coerce.number(),
});

/** What a container's labels say of the unit that it is. */
export interface LabelledUnit {
  readonly unit: string;
  readonly service: string;
  readonly digest: string;
  /** Milliseconds since the epoch, by the clock of the machine that Omni runs on. */
  readonly startedAt: number;
  /** That the engine listens on inside. */
  readonly port: number;
}

/** Labels by which a later run of the same node finds a container again. They are shown to anybody: no secrets. */
export const unitLabels = (
  node: string,
  { unit, startedAt }: Pick<LabelledUnit, "unit" | "startedAt">,
  { service, digest, address, container }: LaunchSpec,
): Readonly<Record<string, string>> => ({
  [NODE_LABEL]: node,
  "omni.service": service,
  "omni.unit": unit,
  "omni.digest": digest,
  "omni.address": address.kind === "tcp" ? `${address.host}:${address.port}` : address.kind,
  "omni.started": String(startedAt),
  "omni.port": String(container?.port ?? 0),
});

/** The unit that labels tell of, `undefined` when they are not whole. */
export function readLabels(found: unknown): LabelledUnit | undefined {
  const read = labels.safeParse(found);
  if (!read.success) return undefined;
  return {
    unit: read.data["omni.unit"],
    service: read.data["omni.service"],
    digest: read.data["omni.digest"],
    startedAt: read.data["omni.started"],
    port: read.data["omni.port"],
  };
}
