import { randomBytes } from "node:crypto";
import { constants, type BigIntStats } from "node:fs";
import { link, lstat, open, opendir, rename, unlink, type FileHandle } from "node:fs/promises";
import { at, itself, pinIfThere, type Pinned } from "./beneath.ts";
import { codeOf, Refusal, shown } from "./refusal.ts";

/** A file while it is written; such names are closed to clients (`SECRET_NAMES`). */
const STAGED = /^\.omni-[0-9a-f]{16}\.tmp$/;
/** Milliseconds after which a staged file is left over from a process that died. */
const STALE = 600_000;
const MOST_SWEPT = 20_000;
/** Disks that know no hard links. */
const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EXDEV"]);

/**
 * Puts `bytes` in the place of `name` in an open folder, or makes it new where `old` is absent: written aside, made durable and renamed,
 * so that whoever looks sees all of the old or all of the new, also after a crash. Keeps permissions (without setuid and setgid), and
 * owner and group where the system lets it; access lists and extended attributes are not kept. What else has a hard link to the
 * old file keeps the old one. Throws `Refusal` when the name came to mean something else meanwhile, and the system's errors; then
 * nothing is changed.
 */
export async function replaceFile(
  folder: FileHandle,
  name: string,
  bytes: Uint8Array,
  old: Pinned | undefined,
  signal: AbortSignal,
): Promise<void> {
  await sweep(folder);
  const staged = `.omni-${randomBytes(8).toString("hex")}.tmp`;
  try {
    await stage(at(folder, staged), bytes, old?.stats);
    signal.throwIfAborted();
    if (old === undefined) await placeNew(folder, staged, name);
    else {
      await refuseChanged(folder, name, old);
      await rename(at(folder, staged), at(folder, name));
    }
  } catch (error) {
    await unlink(at(folder, staged)).catch(ignoreSystem);
    throw error;
  }
  await makeDurable(folder);
}

/** Makes it durable which names a folder has. */
export async function makeDurable(folder: FileHandle): Promise<void> {
  try {
    await using handle = await open(itself(folder), constants.O_RDONLY | constants.O_DIRECTORY);
    await handle.sync();
  } catch (error) {
    // The folder may be one that can be written to and not read, or the disk one that syncs no folders.
    if (codeOf(error) !== "EACCES" && codeOf(error) !== "EINVAL") throw error;
  }
}

/** Gives `from` the name `to`, which must be free. Throws `Refusal` when it is not. */
export async function renameNew(
  source: FileHandle,
  from: string,
  folder: FileHandle,
  to: string,
): Promise<void> {
  try {
    // A rename would replace what came to be there meanwhile; a link does not.
    await link(at(source, from), at(folder, to));
    await unlink(at(source, from));
  } catch (error) {
    const code = codeOf(error) ?? "";
    if (code === "EEXIST") throw taken(to);
    if (!NO_LINKS.has(code)) throw error;
    await using there = await pinIfThere(folder, to);
    if (there !== undefined) throw taken(to);
    await rename(at(source, from), at(folder, to));
  }
}

const placeNew = (folder: FileHandle, staged: string, name: string): Promise<void> =>
  renameNew(folder, staged, folder, name);

const taken = (name: string): Refusal =>
  new Refusal(
    `${shown(name)} is there already. Nothing was changed; ask for it to be replaced if it should be.`,
  );

async function stage(path: string, bytes: Uint8Array, like: BigIntStats | undefined): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  await using file = await open(path, flags, like === undefined ? 0o666 : 0o600);
  await file.writeFile(bytes);
  if (like !== undefined) {
    const own = await file.stat({ bigint: true });
    if (own.uid !== like.uid || own.gid !== like.gid)
      await file.chown(Number(like.uid), Number(like.gid)).catch(ignoreSystem);
    await file.chmod(Number(like.mode) & 0o777);
  }
  await file.sync();
}

async function refuseChanged(folder: FileHandle, name: string, old: Pinned): Promise<void> {
  await using now = await pinIfThere(folder, name);
  const same =
    now !== undefined &&
    now.stats.dev === old.stats.dev &&
    now.stats.ino === old.stats.ino &&
    now.stats.size === old.stats.size &&
    now.stats.mtimeNs === old.stats.mtimeNs;
  if (!same)
    throw new Refusal(
      `${shown(name)} was changed by somebody else meanwhile. Nothing was written; read it again.`,
    );
}

/** Removes what processes that died while they wrote have left in a folder. */
async function sweep(folder: FileHandle): Promise<void> {
  let seen = 0;
  try {
    for await (const { name } of await opendir(itself(folder), { bufferSize: 512 })) {
      if (++seen > MOST_SWEPT) return;
      if (!STAGED.test(name)) continue;
      const { mtimeMs } = await lstat(at(folder, name));
      if (Date.now() - mtimeMs > STALE) await unlink(at(folder, name));
    }
  } catch (error) {
    ignoreSystem(error);
  }
}

/** What could not be done for tidiness or likeness alone is no reason to fail. */
function ignoreSystem(error: unknown): void {
  if (codeOf(error) === undefined) throw error;
}
