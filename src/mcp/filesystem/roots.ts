import { realpath, statfs } from "node:fs/promises";
import { dirname, resolve, sep } from "node:path";
import type { FileHandle } from "node:fs/promises";
import { openReal } from "./beneath.ts";
import { codeOf, Refusal } from "./refusal.ts";

export interface RootOptions {
  readonly path: string;
  readonly writable: boolean;
}

/** proc, sysfs, debugfs, tracefs, cgroup2 (statfs(2)): files that show and steer the machine and its processes. */
const KERNEL = new Set([0x9fa0, 0x62656572, 0x64626720, 0x74726163, 0x63677270]);

/** The folders that clients know by names. */
export interface Roots {
  readonly all: readonly { readonly name: string; readonly writable: boolean }[];
  /** A new handle on the root's folder. Throws `Refusal` when there is none of that name, or it is not there now. */
  open(name: string): Promise<FileHandle>;
  writable(name: string): boolean;
  /** Throws `Refusal` when there is no root of that name. */
  check(name: string): void;
  /** Why roots cannot be used, as last seen, by name; for their owner, so with paths. */
  problems(): ReadonlyMap<string, string>;
  /** Looks anew where the owner's paths lead. */
  forget(): void;
}

/**
 * Each root is where its owner's path led when it was first used, links followed once. Later it is opened anew each time by
 * that real path, and the kernel asked where it led: a folder that is put in its place is found, a link in its place is not
 * followed, and an unmounted disk is missed rather than held. A root that holds `closed` (the node's own state) is refused.
 */
export function createRoots(roots: Readonly<Record<string, RootOptions>>, closed: string): Roots {
  const known = new Map(Object.entries(roots));
  const real = new Map<string, string>();
  const problems = new Map<string, string>();

  const realOf = async (name: string, path: string): Promise<string> => {
    const before = real.get(name);
    if (before !== undefined) return before;
    const found = await realpath(resolve(path));
    if (isBeneath(found, await nearestReal(resolve(closed))))
      throw new Refusal(
        `The root ${name} holds the node's own state and is closed. Its owner must choose another folder.`,
      );
    if (KERNEL.has((await statfs(found)).type))
      throw new Refusal(
        `The root ${name} is no folder of a disk and is closed. Its owner must choose another folder.`,
      );
    real.set(name, found);
    return found;
  };

  const rootOf = (name: string): RootOptions => {
    const root = known.get(name);
    if (root === undefined) throw unknownRoot(name, [...known.keys()]);
    return root;
  };

  return {
    all: [...known].map(([name, { writable }]) => ({ name, writable })),
    writable: (name) => known.get(name)?.writable === true,
    check: (name) => void rootOf(name),
    open: async (name) => {
      const root = rootOf(name);
      try {
        const handle = await openReal(await realOf(name, root.path));
        problems.delete(name);
        return handle;
      } catch (error) {
        problems.set(name, problemOf(error, root.path));
        throw error instanceof Refusal ? error : missing(name, codeOf(error) ?? "unknown error");
      }
    },
    problems: () => problems,
    forget: () => {
      real.clear();
      problems.clear();
    },
  };
}

const unknownRoot = (name: string, names: readonly string[]): Refusal =>
  new Refusal(`There is no root ${JSON.stringify(name)}. Paths begin with one of: ${names.join(", ")}.`);

const missing = (name: string, code: string): Refusal =>
  new Refusal(
    `The root ${name} cannot be used now (${code}): its folder is missing, moved or not readable for the node. ` +
      "Its owner sees more with ./omni mcp servers.",
  );

function problemOf(error: unknown, path: string): string {
  if (error instanceof Refusal) return `${path}: ${error.message}`;
  const code = codeOf(error) ?? "unknown error";
  return code === "ENOTDIR" || code === "ELOOP"
    ? `${path} leads through a link or file that was not there when it was first used; retry looks anew`
    : `${path} cannot be opened (${code})`;
}

const isBeneath = (folder: string, path: string): boolean =>
  path === folder || path.startsWith(folder === sep ? sep : folder + sep);

/** The real path of what may not be there yet: that of the nearest folder above it that is. */
async function nearestReal(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const above = dirname(path);
    if (codeOf(error) !== "ENOENT" || above === path) throw error;
    return resolve(await nearestReal(above), path.slice(above === sep ? 1 : above.length + 1));
  }
}
