import { spawn } from "node:child_process";
import type { ChildProcess, ChildProcessWithoutNullStreams } from "node:child_process";
import { Agent } from "node:http";
import { Duplex } from "node:stream";
import type { DockerSocket } from "./docker-socket.ts";

type SshSocket = Extract<DockerSocket, { readonly kind: "ssh" }>;

/** Words of the ssh client that lead to a host: never asks, and gives up after 10 s. */
export const sshWords = ({ host, port, user }: SshSocket): readonly string[] => [
  "-o",
  "BatchMode=yes",
  "-o",
  "ConnectTimeout=10",
  "-o",
  "ServerAliveInterval=15",
  ...(port === undefined ? [] : ["-p", String(port)]),
  ...(user === undefined ? [] : ["-l", user]),
  "--",
  host,
];

/**
 * HTTP over `ssh HOST docker system dial-stdio`, as Docker's own client does it: the user's keys, configuration and known
 * hosts hold. (The library's own way knows no known_hosts and would talk to any machine that answers.)
 */
export class SshAgent extends Agent {
  readonly #socket: SshSocket;
  readonly #children = new Set<ChildProcess>();

  constructor(socket: SshSocket) {
    super({ keepAlive: false });
    this.#socket = socket;
  }

  override createConnection(): Duplex {
    const child = spawn("ssh", [...sshWords(this.#socket), "docker", "system", "dial-stdio"], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#children.add(child);
    const stream = new PipeStream(child);
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said = `${said}${chunk.toString("utf8")}`.slice(-1000)));
    child.once("error", (error) => stream.destroy(error));
    child.once("close", (code) => {
      this.#children.delete(child);
      const words = said.trim().split("\n").at(-1) ?? "";
      // Only now: at the end of its output alone, nobody knows yet why it ended.
      if (code === 0) stream.push(null);
      else stream.destroy(new Error(words === "" ? `ssh ended with ${code}` : words));
    });
    return stream;
  }

  override destroy(): void {
    for (const child of this.#children) child.kill();
    super.destroy();
  }
}

/** Both pipes of a process as one connection; it ends with the process, and the process with it. */
class PipeStream extends Duplex {
  readonly #child: ChildProcessWithoutNullStreams;

  constructor(child: ChildProcessWithoutNullStreams) {
    super();
    this.#child = child;
    child.stdin.on("error", (error) => this.destroy(error));
    child.stdout.on("error", (error) => this.destroy(error));
    child.stdout.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) child.stdout.pause();
    });
  }

  override _read(): void {
    this.#child.stdout.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#child.stdin.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#child.stdin.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#child.kill();
    done(error);
  }
}
