import type { Managed, Stored } from "./object-store.ts";

type Tree = Record<string, unknown>;

const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Paths of all leaves; lists count as one leaf, which is coarser than the API and enough for conflicts. */
function leaves(value: unknown, path = ""): string[] {
  if (!isTree(value)) return [path];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, `${path}.${key}`));
}

const at = (value: unknown, path: string): unknown =>
  path
    .split(/(?<!\\)\./)
    .slice(1)
    .reduce<unknown>((inner, key) => (isTree(inner) ? inner[key] : undefined), value);

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const IDENTITY =
  /^\.(?:apiVersion|kind|metadata\.(?:name|namespace|uid|resourceVersion|generation|creationTimestamp|managedFields))$/;
/** Keys of labels hold dots; they are escaped to stay one key. */
const escaped = (value: unknown): unknown =>
  isTree(value)
    ? Object.fromEntries(
        Object.entries(value).map(([key, inner]) => [key.replaceAll(".", "\\."), escaped(inner)]),
      )
    : value;
const unescaped = (value: unknown): unknown =>
  isTree(value)
    ? Object.fromEntries(
        Object.entries(value).map(([key, inner]) => [key.replaceAll("\\.", "."), unescaped(inner)]),
      )
    : value;

export interface Conflict {
  readonly manager: string;
  readonly field: string;
}

function merge(into: unknown, from: unknown): unknown {
  if (!isTree(from)) return from;
  const merged: Tree = isTree(into) ? { ...into } : {};
  for (const [key, value] of Object.entries(from)) {
    if (value === null) delete merged[key];
    else merged[key] = merge(merged[key], value);
  }
  return merged;
}

function without(value: unknown, keys: readonly string[]): unknown {
  const [key = "", ...rest] = keys;
  if (!isTree(value) || !(key in value)) return value;
  const { [key]: inner, ...others } = value;
  return rest.length === 0 ? others : { ...others, [key]: without(inner, rest) };
}

/** Merges an applied configuration, or says whose fields it would change. */
export function applied(
  live: Stored | undefined,
  wanted: Stored,
  manager: string,
  force: boolean,
): { readonly object: Stored } | { readonly conflicts: readonly Conflict[] } {
  const entries: Managed[] = structuredClone(live?.metadata.managedFields ?? []);
  const tree = escaped(wanted);
  const now = escaped(live ?? {});
  const paths = leaves(tree).filter((path) => !IDENTITY.test(path));
  const mine = (entry: Managed): boolean => entry.manager === manager && entry.operation === "Apply";
  const conflicts = entries
    .filter((entry) => !mine(entry))
    .flatMap((entry) =>
      entry.paths
        .filter((path) => paths.includes(path) && !same(at(now, path), at(tree, path)))
        .map((field) => ({ manager: entry.manager, field })),
    );
  if (conflicts.length > 0 && !force) return { conflicts };
  const taken = new Set(conflicts.map(({ field }) => field));
  const others = entries
    .filter((entry) => !mine(entry))
    .map((entry) => ({ ...entry, paths: entry.paths.filter((path) => !taken.has(path)) }));
  const dropped = (entries.find(mine)?.paths ?? []).filter(
    (path) => !paths.includes(path) && !others.some((entry) => entry.paths.includes(path)),
  );
  const base = dropped.reduce((value, path) => without(value, path.split(/(?<!\\)\./).slice(1)), now);
  const object = asStored(unescaped(merge(base, tree)), wanted);
  object.metadata.managedFields = [...others, { manager, operation: "Apply", paths }];
  return { object };
}

/** A merge patch; the fields that it changes become its manager's. */
export function patched(live: Stored, patch: unknown, manager: string): Stored {
  const now = escaped(live);
  const changed = leaves(escaped(patch)).filter((path) => !same(at(now, path), at(escaped(patch), path)));
  const entries = structuredClone(live.metadata.managedFields ?? []);
  const mine = entries.find((entry) => entry.manager === manager && entry.operation === "Update");
  const others = entries
    .filter((entry) => entry !== mine)
    .map((entry) => ({ ...entry, paths: entry.paths.filter((path) => !changed.includes(path)) }));
  const object = asStored(unescaped(merge(now, escaped(patch))), live);
  object.metadata.managedFields = [
    ...others,
    { manager, operation: "Update", paths: [...new Set([...(mine?.paths ?? []), ...changed])] },
  ];
  return object;
}

/** A merged tree is still what it was made of. */
const asStored = (value: unknown, like: Stored): Stored => Object.assign(structuredClone(like), value);
