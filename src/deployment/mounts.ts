import type { Machine, Service } from "../spec/spec.ts";
import type { DeployedMount } from "./deployed-service.ts";
import { diskFolder, folderOf, joinPath } from "./node-paths.ts";

/** What a service sees of the node, and where it finds its model's files therein. */
export interface SeenFiles {
  readonly mounts: readonly DeployedMount[];
  /** A path of the node as the engine sees it. */
  readonly seenAt: (nodePath: string) => string;
}

/**
 * The owner's mounts, and one more, read-only, for each file of the node that none of them shows. Names are unique.
 * A disk that names no mount cannot be shown; the spec's rules say so.
 */
export function mountsOf(
  service: Service,
  machine: Machine | undefined,
  nodePaths: readonly { readonly path: string; readonly name: string; readonly isFile: boolean }[],
): SeenFiles {
  const weights = (path: string): boolean =>
    nodePaths.some((file) => within(file.path, path) !== undefined || within(path, file.path) !== undefined);
  const own = service.mounts.flatMap((mount, index): DeployedMount[] => {
    const source = sourceOf(mount, machine);
    if (source === undefined) return [];
    const purpose = source.kind === "folder" && weights(source.path) ? "weights" : "data";
    return [
      {
        name: `${purpose}-${index}`,
        source,
        at: joinPath(mount.at),
        readOnly: mount.readOnly ?? true,
        ...(mount.propagation === undefined ? {} : { propagation: mount.propagation }),
        purpose,
      },
    ];
  });
  const added: DeployedMount[] = [];
  for (const { path, name, isFile } of nodePaths) {
    const folder = isFile ? folderOf(path) : path;
    if ([...own, ...added].some((mount) => shows(mount, path))) continue;
    added.push({
      name: `weights-${name}`.slice(0, 63).replace(/-+$/, ""),
      source: { kind: "folder", path: folder, create: false },
      at: `/models/${name}`,
      readOnly: true,
      purpose: "weights",
    });
  }
  const mounts = [...own, ...added];
  return { mounts, seenAt: (nodePath) => seenAt(mounts, nodePath) };
}

type Mount = Service["mounts"][number];

function sourceOf(mount: Mount, machine: Machine | undefined): DeployedMount["source"] | undefined {
  const create = mount.create ?? false;
  if (mount.host !== undefined) return { kind: "folder", path: joinPath(mount.host), create };
  if (mount.disk !== undefined) {
    const path = diskFolder(machine, mount.disk, mount.path);
    return path === undefined ? undefined : { kind: "folder", path, disk: mount.disk, create };
  }
  if (mount.volume === undefined) return undefined;
  return {
    kind: "volume",
    volume: mount.volume,
    ...(mount.path === undefined ? {} : { path: mount.path }),
    ...(mount.size === undefined ? {} : { size: mount.size }),
  };
}

/** What remains of a path below a folder; nothing where it lies elsewhere. */
function within(path: string, folder: string): string | undefined {
  if (path === folder) return "";
  return path.startsWith(folder === "/" ? "/" : `${folder}/`) ? path.slice(folder.length) : undefined;
}

const shows = (mount: DeployedMount, path: string): boolean =>
  mount.source.kind === "folder" && within(path, mount.source.path) !== undefined;

/** The deepest mount that shows a path of the node decides; a path that none shows stays as it is. */
function seenAt(mounts: readonly DeployedMount[], nodePath: string): string {
  const best = mounts
    .flatMap(({ source, at }) => (source.kind === "folder" ? [{ folder: source.path, at }] : []))
    .filter(({ folder }) => within(nodePath, folder) !== undefined)
    .toSorted((a, b) => b.folder.length - a.folder.length)[0];
  return best === undefined ? nodePath : joinPath(best.at, within(nodePath, best.folder) ?? "");
}
