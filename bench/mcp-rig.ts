import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { McpLoad, McpLoadResult } from "./mcp-load.ts";

/** The clients, as a process that is told what to call. */
export interface Server {
  ask(load: McpLoad): Promise<McpLoadResult>;
  close(): void;
}

/** The server behind the gateway. */
export interface Upstream {
  readonly url: string;
  close(): void;
}

/** Starts the clients of the benchmark. */
export function startLoad(): Server {
  const child = fork(join(import.meta.dirname, "mcp-load.ts"));
  return {
    async ask(load) {
      const answer = once(child, "message");
      child.send(load);
      const [result] = await answer;
      return result;
    },
    close: () => child.disconnect(),
  };
}

/** Starts the server that is measured against, by hand or of the SDK, with so many tools. */
export async function startUpstream(kind: "hand" | "sdk", tools: number): Promise<Upstream> {
  const child = fork(join(import.meta.dirname, "mcp-upstream.ts"), [kind, String(tools)]);
  const [port] = await once(child, "message");
  return { url: `http://127.0.0.1:${Number(port)}`, close: () => child.disconnect() };
}

function processorTime(): { readonly stolen: number; readonly all: number } {
  if (!existsSync("/proc/stat")) return { stolen: 0, all: 1 };
  const line = readFileSync("/proc/stat", "utf8").split("\n", 1)[0] ?? "";
  const fields = line.split(/\s+/).slice(1, 9).map(Number);
  return { stolen: fields[7] ?? 0, all: fields.reduce((sum, field) => sum + field, 0) };
}

/** Says, when called again, which share of all processors' time since now others of the same host took; 0 where unknown. */
export function stealShare(): () => number {
  const start = processorTime();
  return () => {
    const end = processorTime();
    return (end.stolen - start.stolen) / Math.max(1, end.all - start.all);
  };
}
