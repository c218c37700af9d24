import { setTimeout as sleep } from "node:timers/promises";
import type { Client, ClientChannel } from "ssh2";
import { OmniError, messageOf, optionalPart } from "../../../core/index.ts";
import type { SshDestination } from "./destination.ts";
import { hostKeyAlgorithms, hostKeyFault } from "./host-key.ts";
import { loginTo } from "./login.ts";
import type { LoginOptions } from "./login.ts";

export interface ConnectionOptions extends LoginOptions {
  readonly destination: SshDestination;
  /** In place of OMNI_KNOWN_HOSTS and the files that `ssh` reads. */
  readonly knownHosts?: string;
  /** Milliseconds for reaching the host and logging in. */
  readonly connectTimeout: number;
}

/** One connection to a host: opened at the first use, and again when it was lost. */
export interface SshConnection {
  /** A channel on which `command` runs in the user's login shell. Throws `OmniError` as `HostTransport.run` does. */
  exec(command: string): Promise<ClientChannel>;
  /** Whether the connection that the last channel was opened on still stands. */
  stands(): boolean;
  close(): Promise<void>;
}

/** Milliseconds between signs of life; three that are not answered mean that the connection is lost. */
const KEEPALIVE = 10_000;
/** How often a server may refuse a channel, and the milliseconds between. */
const MOST_REFUSALS = 50;
const REFUSAL_WAIT = 50;

export function sshConnection(options: ConnectionOptions): SshConnection {
  let current: Promise<Client> | undefined;
  let live: Client | undefined;
  const lost = (client: Client): void => {
    if (live === client) live = undefined;
    current = undefined;
  };
  const connected = (): Promise<Client> => {
    current ??= open(options, lost).then(
      (client) => (live = client),
      (thrown: unknown) => {
        current = undefined;
        throw thrown;
      },
    );
    return current;
  };
  return {
    exec: async (command) => {
      let refusals = 0;
      for (;;) {
        const client = await connected();
        try {
          return await channelOn(client, command);
        } catch (thrown) {
          // Nothing has run yet. A server that was restarted is met like this and asked once more; one that has not tidied
          // up the sessions that just ended (sshd counts them until its next round) is asked for a while.
          refusals += live === client ? 1 : MOST_REFUSALS / 2;
          if (refusals > MOST_REFUSALS) throw unreachable(options.destination, messageOf(thrown));
          if (live === client) await sleep(REFUSAL_WAIT);
        }
      }
    },
    stands: () => live !== undefined,
    close: async () => {
      const client = await current?.catch(() => undefined);
      if (client === undefined) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      client.once("close", resolve);
      client.end();
      client.destroy();
      await promise;
    },
  };
}

const channelOn = (client: Client, command: string): Promise<ClientChannel> =>
  new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => (error === undefined ? resolve(channel) : reject(error)));
  });

async function open(options: ConnectionOptions, lost: (client: Client) => void): Promise<Client> {
  const { Client, utils } = (await optionalPart("ssh2", () => import("ssh2"))).default;
  const { destination, knownHosts, connectTimeout } = options;
  const { methods, problems } = await loginTo(destination, options, utils.parseKey);
  const client = new Client();
  let fault: OmniError | undefined;
  let opened = false;
  const { promise, resolve, reject } = Promise.withResolvers<Client>();
  client.once("ready", () => {
    opened = true;
    resolve(client);
  });
  client.on("error", (error) =>
    reject(fault ?? unreachable(destination, reasonOf(error, methods.length, problems))),
  );
  client.once("close", () => {
    if (opened) lost(client);
    reject(fault ?? unreachable(destination, "it closed the connection"));
  });
  client.connect({
    host: destination.host,
    port: destination.port,
    username: destination.user,
    authHandler: [...methods],
    readyTimeout: connectTimeout,
    keepaliveInterval: KEEPALIVE,
    keepaliveCountMax: 3,
    algorithms: { serverHostKey: hostKeyAlgorithms(destination, knownHosts) },
    hostVerifier: (key: Buffer): boolean => {
      fault = hostKeyFault(destination, knownHosts, key);
      return fault === undefined;
    },
  });
  return await promise;
}

function reasonOf(
  error: Error & { readonly level?: string },
  ways: number,
  problems: readonly string[],
): string {
  if (error.level !== "client-authentication") return messageOf(error);
  const tried =
    ways === 0 ? "there is no agent and no key to log in with" : `it takes none of ${ways} keys and ways`;
  return [`the login was refused: ${tried}`, ...problems].join("; ");
}

const unreachable = ({ user, host, port }: SshDestination, reason: string): OmniError =>
  new OmniError("host.unreachable", `${user}@${host} does not answer on port ${port}: ${reason}.`, {
    hint: `By hand: ssh -p ${port} ${user}@${host} true`,
  });
