import type { HostTransport } from "../../../host/transport/index.ts";
import { LOOK, rootOf } from "../metal/rendered-on-host.ts";
import type { StepContext } from "../../step.ts";

/** An ISO and where it comes from. */
export interface Iso {
  readonly url: string;
  /** Path on the host. */
  readonly path: string;
}

/** Says of what URL and size an ISO is: the same name stands for other schematics of a version. */
export const recordOf = ({ path }: Iso): string => `${path}.omni`;

/** Bytes of the ISO where all of it is there, fetched from this very URL. */
export async function isoOnHost(
  context: StepContext,
  host: HostTransport,
  iso: Iso,
): Promise<number | undefined> {
  const root = await rootOf(context, host);
  const record = Buffer.from((await host.readFile(root + recordOf(iso))) ?? []).toString("utf8");
  const [url, size] = record.trim().split(" ");
  if (url !== iso.url) return undefined;
  const there = await bytesOnHost(context, host, root + iso.path);
  return there !== undefined && there === Number(size) ? there : undefined;
}

/** Bytes of a file of the host; nothing where there is none. */
export async function bytesOnHost(
  context: StepContext,
  host: HostTransport,
  path: string,
): Promise<number | undefined> {
  const result = await context.look(host, { argv: ["stat", "-L", "-c", "%s", "--", path], timeout: LOOK });
  return result.ended && result.code === 0 ? Number(result.stdout.trim()) : undefined;
}
