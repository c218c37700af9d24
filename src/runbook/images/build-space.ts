import { formatBytes, OmniError } from "../../core/index.ts";
import type { ImageBuild } from "../../deployment/index.ts";
import type { HostTransport } from "../../host/transport/index.ts";
import type { StepContext } from "../step.ts";

const GIB = 2 ** 30;

/** One term of what a build takes on the builder's disk. */
export interface SpaceTerm {
  readonly what: string;
  readonly bytes: number;
}

export interface FileSystem {
  /** Where it is mounted. */
  readonly mount: string;
  readonly size: number;
  readonly free: number;
}

/** A file system that is full to the brim stops every container on it. */
const RESERVED_SHARE = 0.05;

/**
 * What building an image takes: the base unpacked, what is compiled and thrown away, the image itself. Sizes are those that
 * were seen: a KTransformers image of 21 GB on PyTorch's base, and 20 to 60 GB of Docker's folder while CUDA code compiles.
 */
export function buildSpace(build: ImageBuild, contextBytes: number): readonly SpaceTerm[] {
  const context = { what: "what is copied in, twice", bytes: 2 * contextBytes };
  if (build.kind === "omni") return [{ what: "Node and Omni", bytes: GIB }];
  if (build.cudaArchitectures.length === 0) return [context, { what: "image", bytes: GIB / 2 }];
  if (build.kind === "llama.cpp")
    return [
      { what: "CUDA base with compiler", bytes: 9 * GIB },
      { what: "objects while it compiles", bytes: 5 * GIB },
      { what: "image", bytes: 4 * GIB },
      context,
    ];
  return [
    { what: "base with CUDA and PyTorch", bytes: 12 * GIB },
    { what: "objects and wheels while it compiles", bytes: 10 * GIB },
    { what: "image", bytes: 21 * GIB },
    context,
  ];
}

/** The file system of a path on a host; nothing where it cannot be told. */
export async function fileSystemOf(
  context: StepContext,
  host: HostTransport,
  path: string,
): Promise<FileSystem | undefined> {
  // An image store that was never used is not there yet.
  const script =
    'p=$1; while [ ! -e "$p" ] && [ "$p" != / ] && [ "$p" != . ]; do p=$(dirname -- "$p"); done; df -Pk -- "$p"';
  const result = await context.look(host, { argv: ["sh", "-c", script, "sh", path], timeout: 30_000 });
  if (!result.ended || result.code !== 0) return undefined;
  const line = result.stdout.trim().split("\n").at(-1) ?? "";
  const [, size = "", free = "", mount = ""] = /^.*?\s(\d+)\s+\d+\s+(\d+)\s+\S+\s+(.+)$/.exec(line) ?? [];
  return mount === "" ? undefined : { mount, size: Number(size) * 1024, free: Number(free) * 1024 };
}

/** Throws `OmniError` `image.no-space` with the arithmetic where a file system has not what the terms need. */
export function requireSpace(
  what: string,
  terms: readonly SpaceTerm[],
  { mount, size, free }: FileSystem,
  host: HostTransport,
): void {
  const reserved = Math.round(size * RESERVED_SHARE);
  const needed = terms.reduce((sum, { bytes }) => sum + bytes, reserved);
  if (needed <= free) return;
  const sum = [...terms, { what: "5 % of it left free", bytes: reserved }]
    .filter(({ bytes }) => bytes > 0)
    .map((term) => `${formatBytes(term.bytes)} ${term.what}`)
    .join(" + ");
  throw new OmniError(
    "image.no-space",
    `${what} needs ${formatBytes(needed)} on ${mount} of ${host.name} (${sum}); ${formatBytes(free)} of ${formatBytes(size)} are free.`,
  );
}
