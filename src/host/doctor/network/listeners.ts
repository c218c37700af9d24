import { readText } from "../../../inventory/cgroup.ts";
import type { HostView } from "../check.ts";
import { saidText } from "../said.ts";

/** Who listens on a TCP port, where the kernel tells. */
export interface Listener {
  readonly port: number;
  readonly process?: string;
  readonly pid?: number;
}

/** Everything that listens on a host: by `ss`, whose words name processes to root; else by /proc/net. */
export async function listenersOf(view: HostView): Promise<readonly Listener[] | undefined> {
  const said = await saidText(view, [
    "ss",
    "--no-header",
    "--listening",
    "--tcp",
    "--numeric",
    "--processes",
  ]);
  if (said !== undefined) return said.split("\n").flatMap(fromSs);
  const tables = ["tcp", "tcp6"].map((name) => readText(`${view.root}proc/net/${name}`));
  if (tables.every((text) => text === "")) return undefined;
  return tables.flatMap((text) => text.split("\n").flatMap(fromProc));
}

/** `LISTEN 0 4096 0.0.0.0:8000 0.0.0.0:* users:(("python3",pid=4711,fd=6))`. */
function fromSs(line: string): readonly Listener[] {
  const port = /^\S+\s+\d+\s+\d+\s+\S+:(\d+)\s/.exec(line)?.[1];
  if (port === undefined) return [];
  const [, process, pid] = /users:\(\("([^"]+)",pid=(\d+)/.exec(line) ?? [];
  return [
    {
      port: Number(port),
      ...(process === undefined ? {} : { process }),
      ...(pid === undefined ? {} : { pid: Number(pid) }),
    },
  ];
}

/** Source: proc(5), net/tcp: local address in hexadecimal, state 0A is listening. */
function fromProc(line: string): readonly Listener[] {
  const port = /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:0000 0A /.exec(line)?.[1];
  return port === undefined ? [] : [{ port: Number.parseInt(port, 16) }];
}
