import { formatBytes, OmniError } from "../../../core/index.ts";
import {
  describeDisk,
  findDisk,
  formatDisk,
  identityOf,
  mountDisk,
  refusalOf,
  wantedDisk,
} from "../../../host/disks/index.ts";
import type { FoundDisk, RunOnHost, WantedDisk } from "../../../host/disks/index.ts";
import type { HostTransport } from "../../../host/transport/index.ts";
import type { Consent, Observation, Step, StepContext } from "../../step.ts";
import { placeOf } from "../metal/host-step.ts";
import { neededSpace } from "./model-space.ts";
import type { StorageDisk } from "./storage-disks.ts";

/** Milliseconds: mkfs of a large disk, and a journal that has to be replayed. */
const TIMEOUT = 45 * 60_000;
/** Milliseconds for one look at the mounts. */
const LOOK = 20_000;
/** Of a disk, what its file system leaves for files. */
const USABLE = 0.97;

/** A disk that its host prepares: the right one, made where it is blank and somebody agreed, mounted now and by fstab. */
export function hostDiskStep(storage: StorageDisk): Step {
  const { id, name, disk, host, asked } = storage;
  const { filesystem = "xfs", mount = "", format = "never" } = disk;
  return {
    id,
    phase: "storage",
    title: `${filesystem} on disk ${name}, mounted at ${mount}`,
    asked,
    needs: [`host/${host.name}`],
    inputs: { disk, host: host.name },
    timeout: TIMEOUT,
    precheck: async (context) => {
      const { transport, wanted, found } = await seenBy(context, storage);
      const refusal = refusalOf(found, wanted);
      if (refusal !== undefined) throw new OmniError("disk.refused", refusal);
      await checkSpace(context, transport, storage, found);
    },
    consent: async (context) => {
      const { wanted, found } = await seenBy(context, storage);
      return found.blank ? formatConsent(wanted, found, host.name) : undefined;
    },
    verify: (context) => verify(context, storage),
    apply: (context) => apply(context, storage),
    preview: [
      `find the one disk of ${host.name} with ${identityText(storage)}`,
      ...(format === "if-blank"
        ? [`mkfs.${filesystem} only where blkid, wipefs, lsblk and the kernel see nothing on it, once`]
        : ["no file system is made: format is never"]),
      `mount -t ${filesystem} -o noatime … ${mount}`,
      `/etc/fstab: UUID=… ${mount} ${filesystem} noatime,nofail`,
    ],
  };
}

const identityText = ({ disk }: StorageDisk): string =>
  [disk.serial, disk.wwn, disk.byId, disk.device].filter((part) => part !== undefined).join(", ");

interface Seen {
  readonly transport: HostTransport;
  readonly wanted: WantedDisk;
  readonly found: FoundDisk;
}

/** Looks at the disk now. Throws `OmniError` `disk.refused` and `disk.failed`. */
async function seenBy(context: StepContext, storage: StorageDisk): Promise<Seen> {
  const wanted = wantedOf(storage);
  const transport = await context.host(placeOf(storage.host));
  return { transport, wanted, found: await findDisk(looking(context, transport), wanted) };
}

function wantedOf({ name, disk }: StorageDisk): WantedDisk {
  const wanted = wantedDisk(name, disk);
  if (wanted !== undefined) return wanted;
  throw new OmniError("disk.refused", `Nothing says where disk ${name} is mounted.`, {
    hint: "mount: /var/mnt/data",
  });
}

const looking =
  (context: StepContext, transport: HostTransport): RunOnHost =>
  (command) =>
    context.look(transport, command);

/** Journaled; what the script refuses is told as a refusal. */
const acting =
  (context: StepContext, transport: HostTransport): RunOnHost =>
  (command) =>
    context.run(transport, command, [0, 3]);

function formatConsent(wanted: WantedDisk, found: FoundDisk, host: string): Consent {
  return {
    token: `format:${found.serial === "" ? (wanted.wwn ?? wanted.byId ?? found.device) : found.serial}`,
    text: `${describeDisk(found)} of ${host}, which is blank, would get ${wanted.filesystem} with the label ${wanted.label} and be mounted at ${wanted.mount}.`,
  };
}

async function verify(context: StepContext, storage: StorageDisk): Promise<Observation> {
  const own = await ownMount(context, storage);
  if (own !== undefined) return { done: true, evidence: [own] };
  try {
    const { transport, wanted, found } = await seenBy(context, storage);
    const missing = missingOf(found, wanted);
    if (missing !== undefined) return { done: false, missing };
    const space = await neededSpace(context, transport, storage.models);
    if (space.bytes > (found.free ?? 0)) return { done: false, missing: tooSmall(wanted, found, space.sum) };
    return { done: true, evidence: evidenceOf(found, wanted, space.bytes) };
  } catch (error) {
    // The precheck says it again, and refuses.
    if (error instanceof OmniError && error.code === "disk.refused")
      return { done: false, missing: error.message };
    throw error;
  }
}

/** A disk of which the spec leaves its preparation to the owner is content with whatever the owner mounted there. */
async function ownMount(context: StepContext, { disk, host }: StorageDisk): Promise<string | undefined> {
  if (disk.prepare !== undefined || disk.format === "if-blank" || disk.mount === undefined) return undefined;
  const transport = await context.host(placeOf(host));
  const result = await context.look(transport, {
    argv: ["findmnt", "-n", "-o", "SOURCE,FSTYPE,OPTIONS", "--mountpoint", disk.mount],
    timeout: LOOK,
  });
  const [source, filesystem, options = ""] =
    result.ended && result.code === 0 ? result.stdout.trim().split(/\s+/) : [];
  if (source === undefined || filesystem === undefined || !options.split(",").includes("rw"))
    return undefined;
  return `${source} (${filesystem}) is mounted at ${disk.mount} by its owner, for writing`;
}

function missingOf(found: FoundDisk, wanted: WantedDisk): string | undefined {
  if (found.blank) return `${describeDisk(found)} is blank`;
  if (found.filesystem !== wanted.filesystem || found.table !== "")
    return `${describeDisk(found)} carries no plain ${wanted.filesystem}`;
  if (found.place !== "here") return `${describeDisk(found)} is not mounted at ${wanted.mount}`;
  if (found.lasts !== "yes")
    return `fstab does not bring ${found.device} back at ${wanted.mount} after a reboot`;
  return found.writable ? undefined : `${wanted.mount} is mounted for reading only`;
}

const evidenceOf = (found: FoundDisk, wanted: WantedDisk, needed: number): readonly string[] => [
  describeDisk(found),
  `${found.filesystem}, label ${found.label || "none"}, UUID ${found.uuid}`,
  `mounted at ${wanted.mount} for writing, ${formatBytes(found.free ?? 0)} free, ${formatBytes(needed)} of models to come`,
  `fstab: ${found.entry}`,
];

const tooSmall = (wanted: WantedDisk, found: FoundDisk, sum: string): string =>
  `Models do not fit on disk ${wanted.name} at ${wanted.mount}: ${sum}; free are ${formatBytes(roomOf(found))}`;

/** Free bytes, or what a file system made now would leave. */
const roomOf = ({ free, bytes }: FoundDisk): number => free ?? Math.floor(bytes * USABLE);

/** Throws `OmniError` `disk.no-space` where the models that belong there do not fit; a disk with files tells once it is mounted. */
async function checkSpace(
  context: StepContext,
  transport: HostTransport,
  storage: StorageDisk,
  found: FoundDisk,
): Promise<void> {
  if (!found.blank && found.free === undefined) return;
  const space = await neededSpace(context, transport, storage.models);
  if (space.bytes <= roomOf(found)) return;
  throw new OmniError("disk.no-space", `${tooSmall(wantedOf(storage), found, space.sum)}.`);
}

async function apply(context: StepContext, storage: StorageDisk): Promise<void> {
  const { transport, wanted, found } = await seenBy(context, storage);
  const run = acting(context, transport);
  const there = async (): Promise<boolean> => !(await seenBy(context, storage)).found.blank;
  if (found.blank) await context.effect("mkfs", there, () => formatDisk(run, wanted, found));
  await mountDisk(run, wanted);
  context.note(`${identityOf(wanted)} is mounted at ${wanted.mount}`);
}
