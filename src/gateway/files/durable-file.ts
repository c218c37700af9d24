import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** Makes a file's bytes outlive a power cut. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, "r+");
  try {
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** Gives a file its name so that it has it whole or not at all, also after a power cut. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  const folder = await open(dirname(to), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Writes a small file whole or not at all, for this user alone. `aside` is where it grows. */
export async function writeDurably(path: string, aside: string, text: string): Promise<void> {
  try {
    const handle = await open(aside, "w", 0o600);
    try {
      await handle.writeFile(text);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await renameDurably(aside, path);
  } catch (thrown) {
    await rm(aside, { force: true });
    throw thrown;
  }
}
