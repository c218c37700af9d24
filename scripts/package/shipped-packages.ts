import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { LockEntry, LockFile } from "./lock-file.ts";

/** A package of others that Omni's package brings: installed beside it, or bundled into the console. */
export interface ShippedPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression; `undefined` where the package states none. */
  readonly licence: string | undefined;
  /** Base64 after the algorithm, as the registry states it. */
  readonly integrity: string | undefined;
  /** Folder in the repository. */
  readonly path: string;
  /** Named by Omni itself, and not only by another package. */
  readonly direct: boolean;
  /** Omni runs without it (`--omit=optional`). */
  readonly optional: boolean;
  readonly within: "node" | "console";
  /** `name@version` of what it needs in turn. */
  readonly needs: readonly string[];
}

/** All that is shipped, by name: what the lock installs on Linux for x86-64 and arm64, and what the console imports. */
export function shippedPackages(root: string, lock: LockFile): readonly ShippedPackage[] {
  const own = lock.packages[""] ?? {};
  const wanted = Object.keys({ ...own.dependencies, ...own.optionalDependencies });
  const imported = importedByConsole(root, lock);
  const direct = new Set([...wanted, ...imported].map((name) => `node_modules/${name}`));
  const installed = reached(lock, wanted);
  const bundled = reached(lock, imported);
  const paths = [...new Set([...installed, ...bundled])].toSorted();
  return paths.map((path) => {
    const entry = lock.packages[path] ?? {};
    return {
      name: nameAt(path, entry),
      version: entry.version ?? "",
      licence: entry.license ?? statedLicence(join(root, path)),
      integrity: entry.integrity,
      path,
      direct: direct.has(path),
      optional: installed.has(path) && entry.optional === true,
      within: installed.has(path) ? "node" : "console",
      needs: needsOf(lock, path).map((needed) => identity(needed, lock.packages[needed] ?? {})),
    };
  });
}

const nameAt = (path: string, { name }: LockEntry): string =>
  name ?? path.split("node_modules/").at(-1) ?? path;
const identity = (path: string, entry: LockEntry): string => `${nameAt(path, entry)}@${entry.version ?? ""}`;

/** Paths of the lock that these names lead to, from the root on. */
function reached(lock: LockFile, names: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const open = names.flatMap((name) => resolved(lock, "", name) ?? []);
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    open.push(...needsOf(lock, path));
  }
  return found;
}

function needsOf(lock: LockFile, path: string): readonly string[] {
  const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } =
    lock.packages[path] ?? {};
  const peers = Object.keys(peerDependencies ?? {}).filter(
    (name) => peerDependenciesMeta?.[name]?.optional !== true,
  );
  const names = new Set([...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers]);
  return [...names].flatMap((name) => resolved(lock, path, name) ?? []);
}

/** As Node resolves: in the package's own node_modules, then in those around it. Nothing for other systems. */
function resolved(lock: LockFile, from: string, name: string): string | undefined {
  for (let base = from; ; base = base.slice(0, Math.max(0, base.lastIndexOf("/node_modules/")))) {
    const path = `${base === "" ? "" : `${base}/`}node_modules/${name}`;
    const entry = lock.packages[path];
    if (entry !== undefined) return runsHere(entry) ? path : undefined;
    if (base === "") return undefined;
  }
}

const runsHere = ({ os, cpu }: LockEntry): boolean =>
  (os === undefined || os.includes("linux")) &&
  (cpu === undefined || cpu.includes("x64") || cpu.includes("arm64"));

/** Packages that files of the console import by name. */
function importedByConsole(root: string, lock: LockFile): readonly string[] {
  const folder = join(root, "console/src");
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.tsx?$/.test(path) && !/\.test\.tsx?$/.test(path))
    .flatMap((path) => [
      ...readFileSync(join(folder, path), "utf8").matchAll(
        /(?:\bfrom|\bimport|\bimport\()\s*"([^".][^"]*)"/g,
      ),
    ])
    .map(([, specifier = ""]) => specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/"));
  return [...new Set(names)].filter((name) => lock.packages[`node_modules/${name}`] !== undefined);
}

const manifestSchema = z.looseObject({
  license: z.string().optional(),
  licenses: z.array(z.object({ type: z.string() })).optional(),
});

/** What the installed package states itself; older ones do so in a list, of which any may be chosen. */
function statedLicence(folder: string): string | undefined {
  const file = join(folder, "package.json");
  if (!existsSync(file)) return undefined;
  const { license, licenses = [] } = manifestSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  return license ?? (licenses.length === 0 ? undefined : licenses.map(({ type }) => type).join(" OR "));
}
