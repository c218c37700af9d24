import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf } from "../../core/index.ts";
import { MOST_FILE_BYTES, fileError } from "./host-files.ts";
import { runLocally } from "./local-program.ts";
import { resultOf } from "./running-program.ts";
import type { HostTransport } from "./transport.ts";

const NAME = "this machine";

/** The machine that Omni runs on. */
export const localTransport = (): HostTransport => ({
  name: NAME,
  kind: "local",
  run: async (command) => resultOf(await runLocally(command)),
  readFile: async (path, mostBytes = MOST_FILE_BYTES) => {
    try {
      return await readUpTo(path, mostBytes);
    } catch (thrown) {
      if (isMissing(thrown)) return undefined;
      throw fileError(NAME, path, "read", messageOf(thrown));
    }
  },
  writeFile: async (path, content, { mode }) => {
    const aside = join(dirname(path), `.omni.${randomUUID()}`);
    try {
      await writeDurably(aside, content, mode);
      await rename(aside, path);
      await syncFolder(dirname(path));
    } catch (thrown) {
      await rm(aside, { force: true });
      throw fileError(NAME, path, "written", messageOf(thrown));
    }
  },
  close: () => Promise.resolve(),
});

/** Files of /proc and /sys tell no size, so that only reading finds the end. */
async function readUpTo(path: string, most: number): Promise<Uint8Array> {
  await using file = await open(path, "r");
  const chunks: Buffer[] = [];
  let bytes = 0;
  while (bytes <= most) {
    const piece = Buffer.alloc(Math.min(65_536, most + 1 - bytes));
    const { bytesRead } = await file.read(piece);
    if (bytesRead === 0) break;
    chunks.push(piece.subarray(0, bytesRead));
    bytes += bytesRead;
  }
  if (bytes > most) throw new Error(`it has more than ${most} bytes`);
  return Buffer.concat(chunks);
}

async function writeDurably(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  await using file = await open(path, "wx", 0o600);
  await file.writeFile(content);
  await file.chmod(mode);
  await file.sync();
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync();
}

const isMissing = (thrown: unknown): boolean =>
  thrown instanceof Error && "code" in thrown && (thrown.code === "ENOENT" || thrown.code === "ENOTDIR");
