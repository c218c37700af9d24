import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";

import type { ImageFormat } from "./image-bytes.ts";

const NAME = /^img-[0-9a-f]{48}\.(?:png|jpeg|webp|gif)$/;

/**
 * Images that were answered by `url`, in a folder for a while: whoever knows the name gets them, as browsers show no key, and
 * no name can be guessed. On disk, so that every process of the node serves them; nothing is cleared but when one is put.
 */
export class KeptImages {
  readonly #folder: string;
  readonly #limits: { readonly keptTime: number; readonly keptBytes: number };
  readonly #now: () => number;

  private constructor(folder: string, limits: KeptImages["limits"], now: () => number) {
    this.#folder = folder;
    this.#limits = limits;
    this.#now = now;
  }

  get limits(): { readonly keptTime: number; readonly keptBytes: number } {
    return this.#limits;
  }

  /** Makes the folder where it is missing. `keptTime` in milliseconds, `keptBytes` of all together. */
  static async open(
    folder: string,
    limits: { readonly keptTime: number; readonly keptBytes: number },
    now: () => number = Date.now,
  ): Promise<KeptImages> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const kept = new KeptImages(folder, limits, now);
    await kept.#clear(0);
    return kept;
  }

  /** Keeps an image; its name. */
  async put(bytes: Buffer, format: ImageFormat): Promise<string> {
    await this.#clear(bytes.length);
    const name = `img-${randomBytes(24).toString("hex")}.${format}`;
    const aside = join(this.#folder, `${name}.part`);
    try {
      const handle = await open(aside, "wx", 0o600);
      try {
        await handle.writeFile(bytes);
      } finally {
        await handle.close();
      }
      await rename(aside, join(this.#folder, name));
    } catch (thrown) {
      await rm(aside, { force: true });
      throw thrown;
    }
    return name;
  }

  /** `undefined` for what was never there, or is not any more. */
  async get(name: string): Promise<Buffer | undefined> {
    if (!NAME.test(name)) return undefined;
    const path = join(this.#folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found === undefined || this.#now() - found.mtimeMs > this.#limits.keptTime) return undefined;
    return readFile(path).catch(() => undefined);
  }

  /** Deletes what is too old, then the oldest until there is room for `coming` bytes more. */
  async #clear(coming: number): Promise<void> {
    const names = await readdir(this.#folder);
    const files = await Promise.all(
      names.map(async (name) => {
        const { size = 0, mtimeMs = 0 } = (await stat(join(this.#folder, name)).catch(() => undefined)) ?? {};
        return { name, size, time: mtimeMs };
      }),
    );
    let room = this.#limits.keptBytes - coming;
    for (const { name, size, time } of files.toSorted((a, b) => b.time - a.time)) {
      room -= size;
      if (room < 0 || this.#now() - time > this.#limits.keptTime)
        await rm(join(this.#folder, name), { force: true });
    }
  }
}
