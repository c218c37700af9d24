import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const names = z.record(z.string(), z.string()).optional();

/** One installed package as `package-lock.json` (version 3) has it. Members that Omni does not read are kept. */
const entrySchema = z.looseObject({
  name: z.string().optional(),
  version: z.string().optional(),
  license: z.string().optional(),
  integrity: z.string().optional(),
  resolved: z.string().optional(),
  dev: z.boolean().optional(),
  optional: z.boolean().optional(),
  os: z.array(z.string()).optional(),
  cpu: z.array(z.string()).optional(),
  dependencies: names,
  optionalDependencies: names,
  peerDependencies: names,
  peerDependenciesMeta: z.record(z.string(), z.object({ optional: z.boolean().optional() })).optional(),
});
const lockSchema = z.looseObject({
  lockfileVersion: z.literal(3),
  packages: z.record(z.string(), entrySchema),
});

export type LockEntry = z.infer<typeof entrySchema>;
export type LockFile = z.infer<typeof lockSchema>;

/** The lock of a repository. Throws where it is none of version 3. */
export const readLock = (root: string): LockFile =>
  lockSchema.parse(JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")));

/** The same lock without what only development needs: the `npm-shrinkwrap.json` of the package. */
export function productionLock(lock: LockFile): LockFile {
  const packages = Object.entries(lock.packages).flatMap(([path, entry]) => {
    if (entry.dev === true) return [];
    if (path !== "") return [[path, entry] as const];
    const { devDependencies: _, ...root } = entry;
    return [[path, root] as const];
  });
  return { ...lock, packages: Object.fromEntries(packages) };
}
