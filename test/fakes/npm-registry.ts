import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { readLock } from "../../scripts/package/index.ts";
import { startFileServer } from "./file-server.ts";
import type { Answer, FileServer } from "./file-server.ts";

/** What an installer reads of a package before it has the package. */
const manifestSchema = z.looseObject({ name: z.string(), version: z.string() });
type Manifest = z.infer<typeof manifestSchema>;

interface Installed {
  readonly folder: string;
  readonly manifest: Manifest;
}

/**
 * An npm registry on loopback with what a checkout has installed for production, so that npm installs Omni's package from
 * an empty cache without the internet. Packages that `without` matches are not there, as for another platform.
 */
export async function startNpmRegistry(root: string, without: RegExp): Promise<FileServer> {
  const installed = productionPackages(root).filter(({ manifest }) => !without.test(manifest.name));
  const byName = Map.groupBy(installed, ({ manifest }) => manifest.name);
  const answers: Record<string, Answer> = {};
  const server = await startFileServer(answers);
  for (const [name, versions] of byName) {
    answers[`/${name.replace("/", "%2f")}`] = packument(server.url, name, versions);
    for (const one of versions) answers[tarballPath(one.manifest)] = tarball(one.folder);
  }
  return server;
}

function productionPackages(root: string): readonly Installed[] {
  return Object.entries(readLock(root).packages).flatMap(([path, entry]): readonly Installed[] => {
    const folder = join(root, path);
    const file = join(folder, "package.json");
    if (path === "" || entry.dev === true || !existsSync(file)) return [];
    return [{ folder, manifest: manifestSchema.parse(JSON.parse(readFileSync(file, "utf8"))) }];
  });
}

const tarballPath = ({ name, version }: Manifest): string => `/${name}/-/${version}.tgz`;

const packument =
  (url: string, name: string, versions: readonly Installed[]): Answer =>
  (_, response) => {
    const last = versions.at(-1)?.manifest.version;
    const described = versions.map(({ manifest }) => [
      manifest.version,
      { ...manifest, dist: { tarball: `${url}${tarballPath(manifest)}` } },
    ]);
    response.writeHead(200, { "content-type": "application/json" });
    response.end(
      JSON.stringify({ name, "dist-tags": { latest: last }, versions: Object.fromEntries(described) }),
    );
  };

/** The installed folder as it was packed: below `package/`, without what was installed into it. npm takes plain tar too. */
const tarball =
  (folder: string): Answer =>
  (_, response) => {
    const words = ["-C", folder, "--exclude=./node_modules", "--transform=s,^\\.,package,", "-cf", "-", "."];
    const packing = spawn("tar", words, { stdio: ["ignore", "pipe", "ignore"] });
    response.writeHead(200, { "content-type": "application/octet-stream" });
    packing.stdout.pipe(response);
  };
