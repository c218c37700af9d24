import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";

/** A process that has files of a folder open or mapped, or was started with them. */
export interface FolderUser {
  readonly pid: number;
  readonly name: string;
}

/** Processes of this machine that use a folder, as far as this user may look. Source: proc(5). */
export async function usersOf(folder: string): Promise<readonly FolderUser[]> {
  const inside = `${folder}/`;
  const users: FolderUser[] = [];
  for (const id of (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name))) {
    if (Number(id) === process.pid || !(await usesFolder(join("/proc", id), inside))) continue;
    const name = await readFile(join("/proc", id, "comm"), "utf8").catch(() => "a process");
    users.push({ pid: Number(id), name: name.trim() });
  }
  return users;
}

async function usesFolder(process: string, inside: string): Promise<boolean> {
  // Engines map weights and close them; what they were started with tells it where they copied them onto cards.
  const command = await readFile(join(process, "cmdline"), "utf8").catch(() => "");
  if (command.includes(inside)) return true;
  const maps = await readFile(join(process, "maps"), "utf8").catch(() => "");
  if (maps.includes(inside)) return true;
  const open = await readdir(join(process, "fd")).catch(() => []);
  const targets = await Promise.all(open.map((fd) => readlink(join(process, "fd", fd)).catch(() => "")));
  return targets.some((target) => target.startsWith(inside));
}
