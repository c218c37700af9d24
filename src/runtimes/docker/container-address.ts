import { lookup } from "node:dns/promises";
import { z } from "zod";
import { OmniError, messageOf } from "../../core/index.ts";
import type { Address } from "../../core/index.ts";
import type { DockerConnection } from "./docker-connection.ts";
import type { DockerSocket } from "./docker-socket.ts";
import { isLocal } from "./docker-socket.ts";
import { freePort } from "../free-port.ts";
import { openTunnel } from "./ssh-tunnel.ts";

const LOOPBACK = "127.0.0.1";

interface HostPort {
  readonly host: string;
  readonly port: number;
}

const inspected = z.object({
  HostConfig: z.object({ NetworkMode: z.string().default("") }),
  NetworkSettings: z.object({
    Ports: z
      .record(z.string(), z.array(z.object({ HostIp: z.string(), HostPort: z.coerce.number() })).nullish())
      .nullish(),
    Networks: z.record(z.string(), z.object({ IPAddress: z.string() })).nullish(),
  }),
});

/**
 * Where a container's port is to appear: on loopback, or, where Docker is reached over TCP, on the address that Omni
 * reaches it by, which whoever reaches that address can use. Throws OmniError `runtime.unreachable` for an unknown host.
 */
export async function publishedAt(socket: DockerSocket, address: Address): Promise<HostPort> {
  const port = address.kind === "tcp" ? address.port : 0;
  if (socket.kind !== "tcp" || isLocal(socket)) {
    // Over SSH the port on this side is the tunnel's; on the other side Docker finds a free one.
    return { host: LOOPBACK, port: socket.kind === "ssh" ? 0 : port };
  }
  try {
    return { host: (await lookup(socket.host)).address, port };
  } catch (thrown) {
    throw new OmniError(
      "runtime.unreachable",
      `${socket.host} of Docker is no known host: ${messageOf(thrown)}.`,
      {
        cause: thrown,
      },
    );
  }
}

/** Where Docker's own machine reaches a container's port. Throws when it is in no network. */
export function insideAddress(container: unknown, port: number): HostPort {
  const { HostConfig, NetworkSettings } = inspected.parse(container);
  if (HostConfig.NetworkMode === "host") return { host: LOOPBACK, port };
  const published = NetworkSettings.Ports?.[`${port}/tcp`]?.[0];
  if (published !== undefined) return { host: published.HostIp, port: published.HostPort };
  const networks = NetworkSettings.Networks ?? {};
  const own = networks[HostConfig.NetworkMode]?.IPAddress ?? "";
  const host = [own, ...Object.values(networks).map(({ IPAddress }) => IPAddress)].find((ip) => ip !== "");
  if (host !== undefined) return { host, port };
  // It ended at once: then nobody will ask it anything.
  return { host: LOOPBACK, port };
}

/** Where Omni reaches it: there, or over a tunnel of its own. `release` closes that. */
export async function reachFrom(
  connection: DockerConnection,
  inside: HostPort,
  wants: {
    readonly onNote: (message: string) => void;
    readonly service: string;
    readonly localPort?: number;
  },
): Promise<{ readonly address: Address; readonly release: () => void }> {
  const { socket } = connection;
  if (socket.kind !== "ssh") return { address: { kind: "tcp", ...inside }, release: () => {} };
  const port = wants.localPort ?? (await freePort());
  const close = openTunnel(socket, port, inside, (words) =>
    wants.onNote(`${wants.service}: the tunnel to ${socket.host} broke: ${words}`),
  );
  return { address: { kind: "tcp", host: LOOPBACK, port }, release: close };
}
