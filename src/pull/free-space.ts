import { stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { formatBytes, OmniError } from "../core/index.ts";

/** Left free of what a download may fill: other programs write there as well. */
const RESERVE = 256 << 20;

interface FreeSpace {
  /** Bytes that this user may still write. */
  readonly free: number;
  /** Of all of it. */
  readonly total: number;
  /** The nearest folder that is there already. */
  readonly folder: string;
}

/** The room on the file system that a folder lies on, or would lie on. */
async function freeSpace(folder: string): Promise<FreeSpace> {
  for (let at = folder; ; at = dirname(at)) {
    const found = await statfs(at).catch(() => undefined);
    if (found !== undefined)
      return { free: found.bavail * found.bsize, total: found.blocks * found.bsize, folder: at };
    if (at === dirname(at)) return { free: 0, total: 0, folder: at };
  }
}

/** Bytes of unfinished files that are on disk already; their holes are not. */
export async function allocated(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined ? 0 : found.blocks * 512;
}

/** Throws `OmniError` `pull.no-space` with its arithmetic when `missing` bytes do not fit. */
export async function checkSpace(folder: string, missing: number): Promise<void> {
  const { free } = await freeSpace(folder);
  // A system's last bytes are not for a model of any size; a small disk keeps a small part.
  const reserve = missing === 0 ? 0 : Math.min(RESERVE, Math.ceil(missing / 10));
  if (missing + reserve <= free) return;
  throw new OmniError(
    "pull.no-space",
    `${formatBytes(missing)} are missing and ${formatBytes(reserve)} stay free, which is ${formatBytes(missing + reserve)}; ${folder} has ${formatBytes(free)} free, ${formatBytes(missing + reserve - free)} too little.`,
    {
      hint: "Free that much, choose another disk (HF_HOME, --to DIR, store.disk in the spec) or a smaller quantization.",
    },
  );
}
