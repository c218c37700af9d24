import { execFileSync } from "node:child_process";

/** A named pipe at `path`, which holds whoever opens it until somebody writes. */
export function makeNamedPipe(path: string): void {
  execFileSync("sh", ["-c", 'mkfifo "$0"', path]);
}
