import type { Readable } from "node:stream";

/** One program on a host. No shell looks at the arguments, also over SSH. */
export interface HostCommand {
  readonly argv: readonly [program: string, ...args: string[]];
  /** Written to its standard input, which is closed after it; closed at once when absent. */
  readonly input?: string | Uint8Array | Readable;
  /** Added to the host's own environment. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Milliseconds until the program and what it started are killed. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
  /** Bytes of each stream that are kept, its beginning and its end; 256 KiB when absent. All of it passes `onOutput`. */
  readonly mostBytes?: number;
  /** Told of output as it comes, UTF-8. */
  readonly onOutput?: (stream: "stdout" | "stderr", text: string) => void;
}

/** How a program ended. */
export type CommandResult =
  | {
      readonly ended: true;
      /** Exit status; 128 and the signal's number for one that a signal ended. */
      readonly code: number;
      readonly stdout: string;
      readonly stderr: string;
      /** Bytes that were left out in the middle of the two streams. */
      readonly leftOut: number;
      /** Milliseconds. */
      readonly duration: number;
    }
  | {
      readonly ended: false;
      readonly why: "absent" | "timeout" | "aborted" | "disconnected" | "failed";
      readonly message: string;
      readonly stdout: string;
      readonly stderr: string;
      readonly duration: number;
    };

export interface WriteOptions {
  /** Permission bits. */
  readonly mode: number;
}

/**
 * A way to a host. Commands and files, nothing else: what a step needs beyond it is a program on the host. All of it may
 * be asked for at the same time. Over SSH each command is one channel of one connection, which is opened at the first use
 * and again when it was lost.
 */
export interface HostTransport {
  /** For a person: `this machine`, `root@192.168.3.10`. */
  readonly name: string;
  readonly kind: "local" | "ssh";
  /** Throws `OmniError` `host.unreachable`, `host.key-unknown` or `host.key-changed`; what a program does is in the result. */
  run(command: HostCommand): Promise<CommandResult>;
  /**
   * Bytes of a file, or `undefined` where there is none. Throws `OmniError` `host.command-failed` for one that cannot be read
   * or has more than `mostBytes` (16 MiB when absent).
   */
  readFile(path: string, mostBytes?: number): Promise<Uint8Array | undefined>;
  /** Written aside, made durable and renamed, so that nobody sees half of it. Throws `OmniError` `host.command-failed`. */
  writeFile(path: string, content: string | Uint8Array, options: WriteOptions): Promise<void>;
  close(): Promise<void>;
}
