import { localTransport } from "./local-transport.ts";
import { sshTransport } from "./ssh/ssh-transport.ts";
import type { SshOptions } from "./ssh/ssh-transport.ts";
import type { HostTransport } from "./transport.ts";

/** The way to `user@host[:port]`, or to this machine without one. Throws as `sshTransport` does. */
export const openTransport = (
  destination: string | undefined,
  options: Omit<SshOptions, "destination"> = {},
): HostTransport =>
  destination === undefined ? localTransport() : sshTransport({ ...options, destination });

/** Ways to hosts, each opened once. */
export interface TransportPool extends AsyncDisposable {
  /** Throws as `openTransport` does. */
  to(destination?: string): HostTransport;
}

export function transportPool(options: Omit<SshOptions, "destination"> = {}): TransportPool {
  const open = new Map<string | undefined, HostTransport>();
  return {
    to: (destination) => {
      const known = open.get(destination);
      if (known !== undefined) return known;
      const transport = openTransport(destination, options);
      open.set(destination, transport);
      return transport;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...open.values()].map((transport) => transport.close()));
      open.clear();
    },
  };
}
