import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import type { DockerSocket } from "./docker-socket.ts";
import { sshWords } from "./ssh-agent.ts";

const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;
/** A tunnel that lived this long was one: the next try is quick again. */
const PROVEN = 60_000;

/**
 * Carries a port of this machine's loopback to `host:port` as the other machine sees it, and again whenever ssh ends.
 * Returns the function that closes it.
 */
export function openTunnel(
  socket: Extract<DockerSocket, { readonly kind: "ssh" }>,
  localPort: number,
  to: { readonly host: string; readonly port: number },
  onBroken: (words: string) => void,
): () => void {
  let child: ChildProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let wait = FIRST_WAIT;
  const open = (): void => {
    const since = performance.now();
    let said = "";
    const forward = `127.0.0.1:${localPort}:${to.host}:${to.port}`;
    const ssh = spawn("ssh", ["-N", "-o", "ExitOnForwardFailure=yes", "-L", forward, ...sshWords(socket)], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    child = ssh;
    const again = (words: string): void => {
      if (closed || child !== ssh) return;
      child = undefined;
      onBroken(words);
      if (performance.now() - since > PROVEN) wait = FIRST_WAIT;
      timer = setTimeout(open, wait);
      wait = Math.min(LONGEST_WAIT, wait * 2);
    };
    ssh.stderr.on("data", (chunk: Buffer) => (said = `${said}${chunk.toString("utf8")}`.slice(-1000)));
    ssh.once("error", (error) => again(error.message));
    ssh.once("close", (code) => again(said.trim().split("\n").at(-1) || `ssh ended with ${code}`));
  };
  open();
  return () => {
    closed = true;
    clearTimeout(timer);
    child?.kill();
  };
}
