import { formatBytes } from "../../../core/index.ts";
import type { DeployedModel } from "../../../deployment/index.ts";
import type { HostTransport } from "../../../host/transport/index.ts";
import type { StepContext } from "../../step.ts";

/** Milliseconds: counting what lies in a folder of some hundred files. */
const LOOK = 60_000;

/** Bytes that models still need on a disk, with the sum for a person. */
export interface NeededSpace {
  readonly bytes: number;
  /** `deepseek 404.00 GiB + flux 22.15 GiB (10.00 GiB there) = 416.15 GiB`. */
  readonly sum: string;
}

/** What is missing of the models on a host, by what lies at their paths already. Sizes that nobody knows count as nothing. */
export async function neededSpace(
  context: StepContext,
  host: HostTransport,
  models: readonly DeployedModel[],
): Promise<NeededSpace> {
  const parts = await Promise.all(
    models
      .filter(({ sizeBytes }) => sizeBytes > 0)
      .map(async ({ name, path, sizeBytes }) => ({
        name,
        sizeBytes,
        there: await bytesAt(context, host, path),
      })),
  );
  const bytes = parts.reduce((sum, { sizeBytes, there }) => sum + Math.max(sizeBytes - there, 0), 0);
  const terms = parts.map(
    ({ name, sizeBytes, there }) =>
      `${name} ${formatBytes(sizeBytes)}${there > 0 ? ` (${formatBytes(there)} there)` : ""}`,
  );
  return { bytes, sum: `${terms.join(" + ")}, to come: ${formatBytes(bytes)}` };
}

async function bytesAt(context: StepContext, host: HostTransport, path: string): Promise<number> {
  const result = await context.look(host, { argv: ["du", "-sB1", "--", path], timeout: LOOK });
  const bytes = result.ended && result.code === 0 ? Number(/^\d+/.exec(result.stdout)?.[0]) : 0;
  return Number.isSafeInteger(bytes) ? bytes : 0;
}
