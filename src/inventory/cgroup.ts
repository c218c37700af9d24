import { readFileSync } from "node:fs";

/** The text of a file of /proc or /sys; empty where there is none. */
export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Where cgroup v1 mounts a controller; `cpu` is often mounted together with its accounting. */
const LEGACY_MOUNTS = { cpu: ["cpu", "cpu,cpuacct"], memory: ["memory"] } as const;

/**
 * Folders of this process's cgroup and all its ancestors, of v2 and of v1: any of them may set the tightest limit.
 * `root` stands for `/` in tests.
 */
export function cgroupFolders(root: string, controller: keyof typeof LEGACY_MOUNTS): string[] {
  const membership = readText(`${root}proc/self/cgroup`);
  const unified = /^0::(.*)$/m.exec(membership)?.[1];
  const legacy = new RegExp(`^\\d+:(?:[^:]*,)?${controller}(?:,[^:]*)?:(.*)$`, "m").exec(membership)?.[1];
  return [
    ...ancestors(unified).map((path) => `${root}sys/fs/cgroup${path}`),
    ...LEGACY_MOUNTS[controller].flatMap((mount) =>
      ancestors(legacy).map((path) => `${root}sys/fs/cgroup/${mount}${path}`),
    ),
  ];
}

/** `/a/b` → `/a/b`, `/a` and the empty path of the mount itself. */
function ancestors(path: string | undefined): string[] {
  if (path === undefined) return [];
  const parts = path.split("/").filter((part) => part !== "");
  return Array.from({ length: parts.length + 1 }, (_, i) =>
    parts
      .slice(0, parts.length - i)
      .map((part) => `/${part}`)
      .join(""),
  );
}
