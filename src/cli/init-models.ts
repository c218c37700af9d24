import { readdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join, resolve } from "node:path";
import { messageOf } from "../core/index.ts";
import { readGgufShape } from "../models/index.ts";
import type { ModelShape } from "../models/index.ts";
import { modelName } from "./node-spec.ts";

/** A GGUF model on this machine: its header, or why it cannot be read. Of a split model the first shard is named. */
export interface FoundModel {
  /** Name for the spec; no two models have the same. */
  readonly name: string;
  readonly path: string;
  readonly shape?: ModelShape;
  readonly fault?: string;
}

export interface FoundModels {
  readonly models: readonly FoundModel[];
  /** Folders that were looked through. */
  readonly folders: readonly string[];
  /** Those of them that do not exist or cannot be read. */
  readonly missing: readonly string[];
  /** What was not looked at any more, because there is too much. */
  readonly cut?: string;
}

/** A walk that met a whole disk must end: so deep, so many names, so many headers. */
const MOST = { depth: 8, names: 50_000, models: 200 } as const;

const SHARD = /-(\d{5})-of-(\d{5})\.gguf$/i;

/** A folder to look through; `deep` with all folders below it. */
export interface ModelFolder {
  readonly path: string;
  readonly deep: boolean;
}

/** Where people and programs keep GGUF files. Sources: llama.cpp's LLAMA_CACHE, huggingface_hub's HF_HUB_CACHE, LM Studio. */
export function usualFolders(environment: NodeJS.ProcessEnv = process.env, home = homedir()): ModelFolder[] {
  const cache = environment["XDG_CACHE_HOME"] ?? join(home, ".cache");
  const deep = [
    resolve("models"),
    join(home, "models"),
    environment["LLAMA_CACHE"] ?? join(cache, "llama.cpp"),
    environment["HF_HUB_CACHE"] ?? join(environment["HF_HOME"] ?? join(cache, "huggingface"), "hub"),
    join(home, ".lmstudio/models"),
    join(cache, "lm-studio/models"),
  ];
  return [{ path: process.cwd(), deep: false }, ...deep.map((path) => ({ path, deep: true }))];
}

/**
 * Finds the GGUF models below these folders and reads their headers, never their weights. Shards are one model, and a
 * file that several names lead to counts once. Links to folders are followed, once each. Throws nothing.
 */
export async function findModels(folders: readonly ModelFolder[]): Promise<FoundModels> {
  const walk = new Walk();
  const missing: string[] = [];
  for (const { path, deep } of folders)
    if (!(await walk.enter(path, deep ? 0 : MOST.depth))) missing.push(path);
  const paths = walk.paths.slice(0, MOST.models);
  const names = new Set<string>();
  const models: FoundModel[] = [];
  for (const path of paths) {
    const name = uniqueName(modelName(path), names);
    const read = await readGgufShape(path).then(
      (shape) => ({ shape }),
      (thrown: unknown) => ({ fault: messageOf(thrown) }),
    );
    models.push({ name, path, ...read });
  }
  const cut =
    walk.names > MOST.names
      ? `more than ${MOST.names} names; the rest was not looked at`
      : walk.paths.length > MOST.models
        ? `${walk.paths.length} models; the first ${MOST.models} were read`
        : undefined;
  return { models, folders: folders.map(({ path }) => path), missing, ...(cut === undefined ? {} : { cut }) };
}

/** The name itself, or with the first number behind it that makes it another than those taken; it is taken then. */
export function uniqueName(name: string, taken: Set<string>, longest = 128): string {
  let candidate = name;
  for (let number = 2; taken.has(candidate); number++) {
    const ending = `-${number}`;
    candidate = name.slice(0, longest - ending.length) + ending;
  }
  taken.add(candidate);
  return candidate;
}

class Walk {
  readonly paths: string[] = [];
  names = 0;
  /** Device and inode of folders and files: the same thing under another name is not met twice. */
  readonly #met = new Set<string>();

  /** Walks a folder, its files before its folders; returns whether it is one that can be read. */
  async enter(folder: string, depth: number): Promise<boolean> {
    if (this.names > MOST.names) return true;
    const own = await stat(folder).catch(() => undefined);
    if (own?.isDirectory() !== true) return false;
    if (this.#isMet(own)) return true;
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
    if (entries === undefined) return false;
    this.names += entries.length;
    const names = entries.map((entry) => entry.name).toSorted();
    const files = names.filter((name) => /\.gguf$/i.test(name));
    const firsts = firstShards(files);
    for (const name of files) await this.#meet(join(folder, name), firsts);
    if (depth >= MOST.depth) return true;
    const below = entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink());
    for (const name of below.map((entry) => entry.name).toSorted())
      if (!name.startsWith(".")) await this.enter(join(folder, name), depth + 1);
    return true;
  }

  async #meet(path: string, firsts: ReadonlySet<string>): Promise<void> {
    const name = basename(path);
    if (isProjector(name)) return;
    if (SHARD.test(name) && !firsts.has(name)) return;
    const file = await stat(path).catch(() => undefined);
    if (file === undefined || !file.isFile() || this.#isMet(file)) return;
    this.paths.push(path);
  }

  #isMet({ dev, ino }: { readonly dev: number; readonly ino: number }): boolean {
    const key = `${dev}:${ino}`;
    const met = this.#met.has(key);
    this.#met.add(key);
    return met;
  }
}

/** Projectors for pictures and sound go with a model; alone they answer nothing. */
const isProjector = (name: string): boolean => /(?:^|[-_.])mmproj(?:[-_.]|$)/i.test(name);

/** Of each split model the first shard stands for all; without it the first that is there tells what is missing. */
function firstShards(sorted: readonly string[]): ReadonlySet<string> {
  const firsts = new Map<string, string>();
  for (const name of sorted) {
    const total = SHARD.exec(name)?.[2];
    const model = `${total}/${name.replace(SHARD, "")}`;
    if (total !== undefined && !firsts.has(model)) firsts.set(model, name);
  }
  return new Set(firsts.values());
}
