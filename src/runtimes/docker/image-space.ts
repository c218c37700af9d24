import { statfs } from "node:fs/promises";
import type Dockerode from "dockerode";
import { z } from "zod";
import { OmniError, formatBytes } from "../../core/index.ts";

/** One layer of an image as its registry stores it. */
export interface ImageLayer {
  /** Compressed. */
  readonly bytes: number;
  /** Digest of it unpacked, by which Docker knows that it has it. */
  readonly diffId?: string;
}

/**
 * Bytes unpacked for each compressed one: vLLM's image is 12 GB compressed and 28.6 GB unpacked (vllm-project/vllm
 * #27154, #22377); images of CUDA are much alike.
 */
const UNPACKED = 2.4;
/** A pull is ended when less than this is left: a full disk stops more than a pull. */
const RESERVE = 512 * 2 ** 20;
const NAMED_IMAGES = 4;

const dockerInfo = z.object({
  DockerRootDir: z.string().default(""),
  SecurityOptions: z.array(z.string()).nullish(),
  DriverStatus: z.array(z.array(z.string())).nullish(),
});
const diskUse = z.object({
  Images: z
    .array(
      z.object({
        RepoTags: z.array(z.string()).nullish(),
        Size: z.number().default(0),
        Containers: z.number().default(-1),
      }),
    )
    .nullish(),
  BuildCache: z.array(z.object({ Size: z.number().default(0), InUse: z.boolean().default(false) })).nullish(),
});

/** Where a Docker engine keeps images, and whether it runs without root. */
export interface DockerPlace {
  readonly folder: string;
  readonly rootless: boolean;
}

/** What Docker says of itself; `dataRoot` holds where it does not say. */
export async function dockerPlace(api: Dockerode, dataRoot: string): Promise<DockerPlace> {
  const info = dockerInfo.parse(await api.info());
  // Docker 29 keeps images with containerd, beside its own folder.
  const containerd = (info.DriverStatus ?? []).some((pair) => pair[1]?.startsWith("io.containerd") === true);
  return {
    folder: containerd ? "/var/lib/containerd" : info.DockerRootDir || dataRoot,
    rootless: (info.SecurityOptions ?? []).some((option) => option.includes("rootless")),
  };
}

/** Free bytes of the file system that a folder is on, `undefined` when this machine has no such folder. */
export async function freeBytes(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

/** What a pull is measured by. */
export interface SpaceCheck {
  readonly service: string;
  readonly image: string;
  readonly layers: readonly ImageLayer[];
  readonly free: number;
  readonly folder: string;
}

/**
 * Throws OmniError `engine.no-space` when the layers that Docker does not have yet would not fit: compressed and unpacked
 * lie on the disk together while the last ones are unpacked.
 */
export async function checkSpace(api: Dockerode, check: SpaceCheck): Promise<void> {
  const fits = (bytes: number): boolean => bytes * (1 + UNPACKED) + RESERVE <= check.free;
  if (fits(total(check.layers))) return;
  // Only now, because every image has to be asked: what Docker shares with images that it has costs nothing.
  const missing = check.layers.slice(await sharedLayers(api, check.layers));
  const bytes = total(missing);
  if (fits(bytes)) return;
  const unpacked = bytes * UNPACKED;
  const shared = check.layers.length - missing.length;
  throw new OmniError(
    "engine.no-space",
    `${check.service}: pulling ${check.image} needs about ${formatBytes(bytes + unpacked + RESERVE)} ` +
      `(${formatBytes(bytes)} compressed${shared === 0 ? "" : `, ${shared} of ${check.layers.length} layers are there`}, ` +
      `about ${formatBytes(unpacked)} unpacked, ${formatBytes(RESERVE)} left free); ` +
      `${check.folder} has ${formatBytes(check.free)}.`,
    { hint: await whatFrees(api) },
  );
}

const total = (layers: readonly ImageLayer[]): number => layers.reduce((sum, { bytes }) => sum + bytes, 0);

/** Throws OmniError `engine.no-space` when a pull under way has left less than the reserve. */
export async function checkReserve(
  api: Dockerode,
  { service, image, folder }: Omit<SpaceCheck, "layers" | "free">,
  missing: number,
): Promise<void> {
  const free = await freeBytes(folder);
  if (free === undefined || free >= RESERVE) return;
  throw new OmniError(
    "engine.no-space",
    `${service}: the pull of ${image} was ended: ${folder} has ${formatBytes(free)} left, and at least ` +
      `${formatBytes(missing)} were still to come.`,
    { hint: await whatFrees(api) },
  );
}

/** How many of the first layers some image here has too: Docker shares layers that stand on the same ones below. */
async function sharedLayers(api: Dockerode, layers: readonly ImageLayer[]): Promise<number> {
  const images = await api.listImages().catch(() => []);
  const shared = images.map(async ({ Id }) => {
    const inspected = await api
      .getImage(Id)
      .inspect()
      .catch(() => undefined);
    const there = inspected?.RootFS.Layers ?? [];
    const differs = layers.findIndex(({ diffId }, index) => diffId === undefined || diffId !== there[index]);
    return differs < 0 ? layers.length : differs;
  });
  return Math.max(0, ...(await Promise.all(shared)));
}

/** What could go, with its size: images that no container uses, the largest first, and the build cache. */
async function whatFrees(api: Dockerode): Promise<string> {
  const use = diskUse.safeParse(await api.df().catch(() => undefined)).data;
  const unused = (use?.Images ?? [])
    .filter(({ Containers }) => Containers === 0)
    .toSorted((a, b) => b.Size - a.Size);
  const cache = (use?.BuildCache ?? [])
    .filter(({ InUse }) => !InUse)
    .reduce((sum, { Size }) => sum + Size, 0);
  const named = unused.slice(0, NAMED_IMAGES).map(({ RepoTags, Size }) => {
    return `${RepoTags?.[0] ?? "an image without a name"} ${formatBytes(Size)}`;
  });
  const more = unused.length > named.length ? `, and ${unused.length - named.length} more` : "";
  const parts = [
    ...(named.length === 0
      ? []
      : [`docker image rm of what no container uses now: ${named.join(", ")}${more}`]),
    ...(cache === 0 ? [] : [`docker builder prune: ${formatBytes(cache)}`]),
  ];
  if (parts.length === 0)
    return "Docker keeps no image that is unused: free space elsewhere on that disk, or move Docker's data-root.";
  return `Free some: ${parts.join("; ")}.`;
}
