import { createHash } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Bytes of a socket's path that the kernel takes: `sun_path` less its terminator. */
const SOCKET_PATH_LIMIT = process.platform === "darwin" ? 103 : 107;
const LONGEST_NAME = 30;

const digest = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 8);

/** A file name for a service's socket, unique per service and at most 30 bytes. */
export function socketName(service: string): string {
  const plain = service.toLowerCase().replaceAll(/[^a-z0-9-]/g, "-");
  const name = plain === service && plain.length <= 16 ? plain : `${plain.slice(0, 16)}-${digest(service)}`;
  return `${name}.sock`;
}

const short = (folder: string): boolean => Buffer.byteLength(folder) + 1 + LONGEST_NAME <= SOCKET_PATH_LIMIT;

/**
 * A folder only its owner may enter, with a path short enough for sockets: `run` of the state folder, or one under
 * the system's folder for temporary files when that path is too long. Sockets of an earlier run in it are removed, but
 * for those of `living`.
 * `undefined` when no path is short enough, or on Windows: then engines listen on loopback.
 */
export function openSocketFolder(
  stateFolder: string,
  temporary = tmpdir(),
  living: ReadonlySet<string> = new Set(),
): string | undefined {
  if (process.platform === "win32") return undefined;
  const own = join(stateFolder, "run");
  if (short(own)) return openPrivate(own, living);
  // The name repeats for the same state folder, so that a killed node's sockets are found and removed.
  const fallback = join(temporary, `omni-${process.getuid?.() ?? 0}-${digest(stateFolder)}`);
  if (!short(fallback)) return undefined;
  return openPrivate(fallback, living) ?? mkdtempSync(`${fallback}-`);
}

/** Makes the folder, or takes it over when it is a true folder of this user; never follows a link planted there. */
function openPrivate(folder: string, living: ReadonlySet<string>): string | undefined {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.()) return undefined;
  chmodSync(folder, 0o700);
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (name.endsWith(".sock") && !living.has(path)) rmSync(path, { force: true });
  }
  return folder;
}
