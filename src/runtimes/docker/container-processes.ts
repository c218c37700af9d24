import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Processes of a container, as this machine numbers them: those in the control group of its first process and below.
 * Empty where that process is not one of this machine, as with Docker elsewhere or in a namespace of its own: the number
 * proves nothing, the container's id in the name of the group does.
 */
export async function containerProcesses(
  id: string,
  pid: number,
  { proc = "/proc", cgroups = "/sys/fs/cgroup" } = {},
): Promise<readonly number[]> {
  if (pid <= 0) return [];
  const lines = (await readFile(join(proc, String(pid), "cgroup"), "utf8").catch(() => "")).split("\n");
  for (const line of lines) {
    // `0::/system.slice/docker-<id>.scope` of version 2, `5:memory:/docker/<id>` of version 1.
    const match = /^\d+:([^:]*):(.+)$/.exec(line);
    const [, controllers = "", path = ""] = match ?? [];
    if (match === null || !path.includes(id)) continue;
    const end = path.indexOf("/", path.indexOf(id));
    const folder = join(cgroups, controllers, end < 0 ? path : path.slice(0, end));
    const found = await processesBelow(folder);
    if (found.length > 0) return found;
  }
  return [];
}

async function processesBelow(folder: string): Promise<readonly number[]> {
  const text = await readFile(join(folder, "cgroup.procs"), "utf8").catch(() => "");
  const own = text
    .split("\n")
    .filter((line) => line !== "")
    .map(Number);
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const below = await Promise.all(
    entries.filter((entry) => entry.isDirectory()).map((entry) => processesBelow(join(folder, entry.name))),
  );
  // 0 stands for a process that this namespace does not see.
  return [...own, ...below.flat()].filter((pid) => pid > 0);
}
