import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { Stored } from "./object-store.ts";

const ITEMS = z.array(z.object({ key: z.string(), path: z.string() })).optional();

export const VOLUMES = z
  .array(
    z.object({
      name: z.string(),
      hostPath: z.object({ path: z.string() }).optional(),
      configMap: z.object({ name: z.string(), items: ITEMS }).optional(),
      secret: z.object({ secretName: z.string() }).optional(),
      emptyDir: z.unknown().optional(),
    }),
  )
  .default([]);

export const MOUNTS = z
  .array(z.object({ name: z.string(), mountPath: z.string(), subPath: z.string().default("") }))
  .default([]);

const DATA = z.object({ data: z.record(z.string(), z.string()).default({}) });

/**
 * The folders of a pod. Its processes share this machine's file system, so what it would see at a mount path is said to it
 * by the path that it really has.
 */
export class PodFolders {
  #root: string | undefined;
  readonly #places: readonly (readonly [inside: string, outside: string])[];

  constructor(
    volumes: z.infer<typeof VOLUMES>,
    mounts: z.infer<typeof MOUNTS>,
    object: (plural: string, name: string) => Stored | undefined,
  ) {
    this.#places = mounts
      .flatMap(({ name, mountPath, subPath }) => {
        const volume = volumes.find((one) => one.name === name);
        const folder = volume === undefined ? undefined : this.#folderOf(volume, object);
        return folder === undefined ? [] : [[mountPath, join(folder, subPath)] as const];
      })
      .toSorted(([a], [b]) => b.length - a.length);
  }

  /** A word with the paths of mounts replaced by where they are. */
  outside(word: string): string {
    const found = this.#places.find(
      ([inside]) => word === inside || word.startsWith(`${inside}/`) || word.includes(`=${inside}/`),
    );
    return found === undefined ? word : word.replace(found[0], () => found[1]);
  }

  close(): void {
    if (this.#root !== undefined) rmSync(this.#root, { recursive: true, force: true });
    this.#root = undefined;
  }

  #folderOf(
    { name, hostPath, configMap, secret, emptyDir }: z.infer<typeof VOLUMES>[number],
    object: (plural: string, name: string) => Stored | undefined,
  ): string | undefined {
    if (hostPath !== undefined) return hostPath.path;
    const folder = join((this.#root ??= mkdtempSync(join(tmpdir(), "omni-pod-"))), name);
    mkdirSync(folder, { recursive: true });
    if (emptyDir !== undefined) return folder;
    const found =
      configMap === undefined
        ? object("secrets", secret?.secretName ?? "")
        : object("configmaps", configMap.name);
    for (const [key, value] of Object.entries(DATA.safeParse(found).data?.data ?? {})) {
      const path = configMap?.items?.find((item) => item.key === key)?.path ?? key;
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      const text = configMap === undefined ? Buffer.from(value, "base64") : value;
      writeFileSync(join(folder, path), text);
    }
    return folder;
  }
}
