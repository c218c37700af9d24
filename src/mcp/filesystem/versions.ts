import { createHash } from "node:crypto";
import { mkdir, open, readdir, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Pinned } from "./beneath.ts";
import type { Place } from "./ground.ts";
import { readBytes } from "./read-bytes.ts";
import { codeOf, Refusal, shown } from "./refusal.ts";

/** A file as it was before it was changed through this server. */
export interface Version {
  readonly number: number;
  /** Milliseconds since the epoch when it was replaced. */
  readonly kept: number;
  /** Bytes. */
  readonly size: number;
}

export interface Versions {
  /** Keeps what a file holds now, and drops the oldest beyond the bound. Throws `Refusal` when it is larger than may be kept. */
  keep(place: Place, file: Pinned, signal: AbortSignal): Promise<void>;
  /** Newest first. */
  list(place: Place): Promise<readonly Version[]>;
  /** Throws `Refusal` when there is none of that number. */
  read(place: Place, number: number): Promise<Buffer>;
}

interface Options {
  /** A folder of the node's state, in which clients never look. */
  readonly folder: string;
  readonly versions: number;
  /** Bytes of the largest file that is kept. */
  readonly largest: number;
}

const header = z.object({ path: z.string(), kept: z.number(), size: z.number() });
const NEWLINE = 10;
const NAME = /^\d{8}$/;

/**
 * One folder a file, one file a version: a line of JSON, then the bytes. Written aside and renamed, so a version is whole or absent. The
 * folder belongs to the node alone, so its paths may be used as they are.
 */
export function createVersions({ folder, versions, largest }: Options): Versions {
  const home = (place: Place): string => {
    const digest = createHash("sha256").update(place.names.join("\0")).digest("hex").slice(0, 32);
    return join(folder, place.root, digest);
  };
  const numbers = async (place: Place): Promise<number[]> => {
    const names = await readdir(home(place)).catch((error: unknown) => {
      if (codeOf(error) === "ENOENT") return [];
      throw error;
    });
    return names
      .filter((name) => NAME.test(name))
      .map(Number)
      .toSorted((a, b) => b - a);
  };
  const fileOf = (place: Place, number: number): string => join(home(place), String(number).padStart(8, "0"));

  return {
    keep: async (place, file, signal) => {
      if (versions === 0) return;
      if (file.stats.size > BigInt(largest)) throw tooLarge(place, file.stats.size, largest);
      const bytes = await readBytes(file, 0, largest + 1, signal);
      if (bytes.length > largest) throw tooLarge(place, bytes.length, largest);
      const known = await numbers(place);
      await mkdir(home(place), { recursive: true, mode: 0o700 });
      const head = { path: place.text, kept: Date.now(), size: bytes.length };
      await writeWhole(
        fileOf(place, (known[0] ?? 0) + 1),
        Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), bytes]),
      );
      for (const number of known.slice(versions - 1)) await unlink(fileOf(place, number));
    },
    list: async (place) => {
      const found: Version[] = [];
      for (const number of await numbers(place)) {
        const { kept, size } = parts(await contents(fileOf(place, number))).head;
        found.push({ number, kept, size });
      }
      return found;
    },
    read: async (place, number) => {
      if (!(await numbers(place)).includes(number))
        throw new Refusal(
          `${shown(place.text)} has no version ${number}. list_versions shows those that are kept.`,
        );
      return parts(await contents(fileOf(place, number))).bytes;
    },
  };
}

const tooLarge = (place: Place, size: bigint | number, largest: number): Refusal =>
  new Refusal(
    `${shown(place.text)} has ${size} bytes, and its previous version could not be kept: at most ${largest} are. Nothing was changed.`,
  );

async function contents(path: string): Promise<Buffer> {
  await using file = await open(path, "r");
  return await file.readFile();
}

function parts(bytes: Buffer) {
  const end = bytes.indexOf(NEWLINE);
  try {
    return { head: header.parse(JSON.parse(bytes.toString("utf8", 0, end))), bytes: bytes.subarray(end + 1) };
  } catch {
    throw new Refusal("A kept version is damaged on the node's disk and cannot be read.");
  }
}

async function writeWhole(path: string, bytes: Buffer): Promise<void> {
  const staged = `${path}.tmp`;
  {
    await using file = await open(staged, "w", 0o600);
    await file.writeFile(bytes);
    await file.sync();
  }
  await rename(staged, path);
}
