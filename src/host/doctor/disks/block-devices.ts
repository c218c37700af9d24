import { z } from "zod";
import type { HostView } from "../check.ts";
import { saidJson } from "../said.ts";

/** A block device in lsblk's words. */
export interface BlockDevice {
  readonly name: string;
  readonly fstype?: string | null | undefined;
  readonly pttype?: string | null | undefined;
  readonly children?: readonly BlockDevice[] | undefined;
}

const DEVICE: z.ZodType<BlockDevice> = z.lazy(() =>
  z.object({
    name: z.string(),
    fstype: z.string().nullish(),
    pttype: z.string().nullish(),
    children: z.array(DEVICE).optional(),
  }),
);
const ANSWER = z.object({ blockdevices: z.array(DEVICE) });

/** A disk with its partitions and what is on each; nothing where lsblk does not answer. */
export async function blockDevice(view: HostView, name: string): Promise<BlockDevice | undefined> {
  const argv = ["lsblk", "--json", "--output", "NAME,FSTYPE,PTTYPE", `/dev/${name}`] as const;
  return (await saidJson(view, argv, ANSWER))?.blockdevices[0];
}

/** What is on a disk: `gpt partition table`, `ext4 on nvme0n1p1`. */
export function signaturesOf({ name, fstype, pttype, children = [] }: BlockDevice): readonly string[] {
  return [
    ...(pttype === undefined || pttype === null ? [] : [`${pttype} partition table`]),
    ...(fstype === undefined || fstype === null ? [] : [`${fstype} on ${name}`]),
    ...children.flatMap((child) =>
      signaturesOf({ ...child, pttype: undefined }).concat(
        child.fstype === undefined || child.fstype === null ? [`a partition ${child.name}`] : [],
      ),
    ),
  ];
}
