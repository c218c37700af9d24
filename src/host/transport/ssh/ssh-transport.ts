import { bytesOf, refusedFile, WRITER } from "../host-files.ts";
import { resultOf } from "../running-program.ts";
import type { ProgramOutcome } from "../running-program.ts";
import { MOST_FILE_BYTES } from "../host-files.ts";
import type { HostCommand, HostTransport } from "../transport.ts";
import { places } from "../places.ts";
import { sshConnection } from "./connection.ts";
import { sshDestination } from "./destination.ts";
import type { LoginOptions } from "./login.ts";
import { runRemotely } from "./remote-program.ts";

export interface SshOptions extends LoginOptions {
  /** `user@host[:port]`. */
  readonly destination: string;
  /** File in place of OMNI_KNOWN_HOSTS and those that `ssh` reads. */
  readonly knownHosts?: string;
  /** File in place of ~/.ssh/config. */
  readonly config?: string;
  /** Milliseconds for reaching the host and logging in; 15 s when absent. */
  readonly connectTimeout?: number;
}

/** Commands at once: sshd allows ten a connection (MaxSessions), and those that kill others need room too. */
const MOST_CHANNELS = 8;
/** Milliseconds for a file. */
const FILE_TIME = 60_000;

/** A host over SSH. Opens nothing yet. Throws `OmniError` `host.unreachable` for a destination that is none. */
export function sshTransport({ config, connectTimeout = 15_000, ...options }: SshOptions): HostTransport {
  const destination = sshDestination(options.destination, config);
  const connection = sshConnection({ ...options, destination, connectTimeout });
  const channels = places(MOST_CHANNELS);
  const name = `${destination.user}@${destination.host}${destination.port === 22 ? "" : `:${destination.port}`}`;
  const outcome = (command: HostCommand): Promise<ProgramOutcome> =>
    channels.within(() => runRemotely(connection, command));
  return {
    name,
    kind: "ssh",
    run: async (command) => resultOf(await outcome(command)),
    readFile: async (path, mostBytes = MOST_FILE_BYTES) => {
      const argv = ["head", "-c", String(mostBytes + 1), "--", path] as const;
      const environment = { LC_ALL: "C" };
      return bytesOf(
        await outcome({ argv, environment, timeout: FILE_TIME, mostBytes: 2 * (mostBytes + 1) }),
        { name, path, mostBytes },
      );
    },
    writeFile: async (path, content, { mode }) => {
      const input = Buffer.from(content);
      const words = [path, mode.toString(8), String(input.length)];
      const result = await outcome({ argv: ["sh", "-c", WRITER, "sh", ...words], input, timeout: FILE_TIME });
      if (!result.end.ended || result.end.code !== 0) throw refusedFile(name, path, "written", result);
    },
    close: () => connection.close(),
  };
}
