import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** The program that listens on a TCP port of this machine. */
export interface PortHolder {
  readonly pid: number;
  readonly program: string;
}

const LISTEN = "0A";

/** Finds who listens on a port by /proc; `undefined` off Linux, for other users' processes, or when nobody does. */
export function portHolder(port: number): PortHolder | undefined {
  const inodes = new Set([...listeners("/proc/net/tcp", port), ...listeners("/proc/net/tcp6", port)]);
  if (inodes.size === 0) return undefined;
  for (const pid of entries("/proc").filter((name) => /^\d+$/.test(name))) {
    for (const fd of entries(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(linkTarget(`/proc/${pid}/fd/${fd}`))?.[1];
      if (inode !== undefined && inodes.has(inode)) return { pid: Number(pid), program: programName(pid) };
    }
  }
  return undefined;
}

/** Inodes of the sockets that listen on the port, from a table of the kernel (proc(5), "/proc/net/tcp"). */
function listeners(table: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  return text(table)
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === LISTEN && local?.endsWith(`:${wanted}`))
    .flatMap((fields) => fields[9] ?? []);
}

function programName(pid: string): string {
  const command = text(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
  return (command === "" ? text(`/proc/${pid}/comm`).trim() : command).slice(0, 120);
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function linkTarget(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
