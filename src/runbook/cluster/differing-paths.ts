type Tree = Readonly<Record<string, unknown>>;

const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What the API server keeps for itself, or what changes without anybody applying anything. */
const OWN = new Set([
  "status",
  "metadata.managedFields",
  "metadata.resourceVersion",
  "metadata.generation",
  "metadata.uid",
  "metadata.creationTimestamp",
]);

/** Paths at which two objects of the API differ, its own bookkeeping left out; at most twenty. */
export const differingPaths = (live: unknown, wanted: unknown): readonly string[] =>
  differences(live, wanted, "").slice(0, 20);

function differences(live: unknown, wanted: unknown, path: string): string[] {
  if (OWN.has(path)) return [];
  if (isTree(live) && isTree(wanted)) {
    const keys = new Set([...Object.keys(live), ...Object.keys(wanted)]);
    return [...keys].flatMap((key) =>
      differences(live[key], wanted[key], path === "" ? key : `${path}.${key}`),
    );
  }
  if (Array.isArray(live) && Array.isArray(wanted) && live.length === wanted.length)
    return live.flatMap((item, index) => differences(item, wanted[index], `${path}[${index}]`));
  return JSON.stringify(live) === JSON.stringify(wanted) ? [] : [path];
}
