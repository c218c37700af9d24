import { readText } from "../../../inventory/cgroup.ts";
import { namesIn } from "../../../inventory/folder.ts";

/** A NUMA node with what it has for hugepages. Bytes. */
export interface MemoryNode {
  readonly id: number;
  readonly cpus: string;
  readonly total: number;
  readonly free: number;
  /** Pages by their size in bytes. */
  readonly pages: ReadonlyMap<number, { readonly count: number; readonly free: number }>;
  /** Free memory in pieces of 2 MiB and more; absent where /proc/buddyinfo does not tell. */
  readonly whole?: number;
}

const PAGE = 4096;
/** Pages of 4 KiB in the smallest piece that counts as whole: 2^9 are 2 MiB. */
const WHOLE_ORDER = 9;

/** The NUMA nodes of a host in order, or none where the kernel does not list them. */
export function memoryNodes(root: string): readonly MemoryNode[] {
  const folder = `${root}sys/devices/system/node/`;
  const pieces = wholePieces(readText(`${root}proc/buddyinfo`));
  return namesIn(folder)
    .flatMap((name) => /^node(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => a - b)
    .map((id) => {
      const meminfo = readText(`${folder}node${id}/meminfo`);
      const bytes = (key: string): number =>
        Number(new RegExp(`${key}:\\s+(\\d+) kB`).exec(meminfo)?.[1] ?? 0) * 1024;
      const whole = pieces.get(id);
      return {
        id,
        cpus: readText(`${folder}node${id}/cpulist`).trim(),
        total: bytes("MemTotal"),
        free: bytes("MemFree"),
        pages: pagesIn(`${folder}node${id}/hugepages/`),
        ...(whole === undefined ? {} : { whole }),
      };
    });
}

const countIn = (path: string): number => Number(readText(path).trim() || 0);

function pagesIn(folder: string): MemoryNode["pages"] {
  return new Map(
    namesIn(folder).flatMap((name) => {
      const kibibytes = /^hugepages-(\d+)kB$/.exec(name)?.[1];
      if (kibibytes === undefined) return [];
      const at = `${folder}${name}/`;
      return [
        [
          Number(kibibytes) * 1024,
          { count: countIn(`${at}nr_hugepages`), free: countIn(`${at}free_hugepages`) },
        ] as const,
      ];
    }),
  );
}

/** `Node 0, zone   Normal   1  2  …`: free pieces of 4 KiB times 2^column. Source: Documentation/filesystems/proc.rst. */
function wholePieces(buddyinfo: string): ReadonlyMap<number, number> {
  const whole = new Map<number, number>();
  for (const [, id, columns = ""] of buddyinfo.matchAll(/^Node (\d+), zone\s+\S+\s+(.*)$/gm)) {
    const bytes = columns
      .trim()
      .split(/\s+/)
      .map((count, order) => (order < WHOLE_ORDER ? 0 : Number(count) * PAGE * 2 ** order))
      .reduce((sum, each) => sum + each, 0);
    whole.set(Number(id), (whole.get(Number(id)) ?? 0) + bytes);
  }
  return whole;
}
