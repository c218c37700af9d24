import type { Machine, Model, Spec } from "../spec/spec.ts";

/** Where Omni keeps downloads of models that name no place, on a node without a disk for models. */
const DEFAULT_MODELS = "/var/lib/omni/models";

/** Parts of a path put together with single slashes; no slash at the end. */
export function joinPath(...parts: readonly string[]): string {
  const joined = parts
    .filter((part) => part !== "")
    .join("/")
    .replaceAll(/\/{2,}/g, "/");
  return joined.length > 1 ? joined.replace(/\/$/, "") : joined;
}

/** The folder above a path. */
export const folderOf = (path: string): string => joinPath(path).replace(/\/[^/]*$/, "") || "/";

/** A folder of a disk as the node that runs the engines sees it; nothing where the disk names no mount. */
export function diskFolder(machine: Machine | undefined, disk: string, path = ""): string | undefined {
  const mount = machine?.disks?.[disk]?.mount;
  return mount === undefined ? undefined : path.startsWith("/") ? joinPath(path) : joinPath(mount, path);
}

/**
 * File or folder of a model on the node that serves it. `found` is where it was read on this machine. A download without
 * a place of its own goes to the disk for models, or to Omni's own folder.
 */
export function modelPath(
  name: string,
  model: Model,
  machine: Machine | undefined,
  found: string | undefined,
): string {
  const { source, store } = model;
  if (source.disk !== undefined)
    return diskFolder(machine, source.disk, source.path) ?? joinPath(source.path ?? "");
  if (source.file !== undefined)
    return source.file.startsWith("/") ? joinPath(source.file) : (found ?? source.file);
  if (store !== undefined)
    return store.path.startsWith("/")
      ? joinPath(store.path)
      : ((store.disk === undefined ? undefined : diskFolder(machine, store.disk, store.path)) ??
          joinPath(DEFAULT_MODELS, store.path));
  const disks = Object.values(machine?.disks ?? {});
  const mount = disks.find((disk) => disk.role === "models" && disk.mount !== undefined)?.mount;
  return mount === undefined ? joinPath(DEFAULT_MODELS, name) : joinPath(mount, "models", name);
}

/** A file beside a model on the node, such as its projector; nothing for what lies on a hub. */
export function sourcePath(
  source: Model["source"] | undefined,
  machine: Machine | undefined,
): string | undefined {
  if (source === undefined) return undefined;
  if (source.disk !== undefined) return diskFolder(machine, source.disk, source.path);
  return source.file === undefined
    ? undefined
    : source.file.startsWith("/")
      ? joinPath(source.file)
      : source.file;
}

/** The machine of a service: its own, or the only one. */
export function machineOf(spec: Spec, name: string | undefined): Machine | undefined {
  const all = Object.values(spec.machines);
  return name === undefined ? (all.length === 1 ? all[0] : undefined) : spec.machines[name];
}
