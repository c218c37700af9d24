import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A real registry (Debian's `docker-registry`) on loopback with a folder of its own, and the wire to it. */
export interface RegistryServer {
  /** `127.0.0.1:40000`. */
  readonly host: string;
  /** Bytes that clients sent until now, headers included. */
  sent(): number;
  /** From now on nothing passes after so many further bytes of clients, until `release`. */
  hold(bytes: number): void;
  /** Settles when the wire stands still. */
  held(): Promise<void>;
  release(): void;
  /** Removes the bytes of a blob, as a disk does that forgets. */
  lose(digest: string): void;
  /** Bytes that it stores under a digest. */
  blob(digest: string): Buffer;
  close(): Promise<void>;
}

const PROGRAM = "docker-registry";

/** Why there is no registry here, in one sentence; nothing where there is one. */
export const whyNoRegistry = (): string | undefined =>
  spawnSync(PROGRAM, ["--version"]).status === 0 ? undefined : `not installed: ${PROGRAM}`;

export async function startRegistryServer(): Promise<RegistryServer> {
  const folder = mkdtempSync(join(tmpdir(), "omni-registry-"));
  const config = join(folder, "config.yml");
  // JSON is YAML.
  writeFileSync(
    config,
    JSON.stringify({
      version: "0.1",
      log: { level: "info" },
      storage: { filesystem: { rootdirectory: folder }, delete: { enabled: true } },
      http: { addr: "127.0.0.1:0" },
    }),
  );
  const child = spawn(PROGRAM, ["serve", config], { stdio: ["ignore", "ignore", "pipe"] });
  const gone = once(child, "exit");
  const port = await listening(createInterface({ input: child.stderr }));
  // Whoever reads no more would stop it at its next line.
  child.stderr.resume();
  const wire = await startWire(port);
  const fileOf = (digest: string): string => {
    const hex = digest.replace("sha256:", "");
    return join(folder, "docker/registry/v2/blobs/sha256", hex.slice(0, 2), hex, "data");
  };
  return {
    host: `127.0.0.1:${wire.port}`,
    sent: wire.sent,
    hold: wire.hold,
    held: wire.held,
    release: wire.release,
    lose: (digest) => {
      rmSync(fileOf(digest));
    },
    blob: (digest) => readFileSync(fileOf(digest)),
    close: async () => {
      await wire.close();
      child.kill("SIGTERM");
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function listening(lines: AsyncIterable<string>): Promise<number> {
  for await (const line of lines) {
    const port = /listening on 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error(`${PROGRAM} ended before it listened`);
}

type Wire = Pick<RegistryServer, "sent" | "hold" | "held" | "release" | "close"> & { readonly port: number };

/** A door before the registry that counts what goes in, and can be held shut. */
async function startWire(to: number): Promise<Wire> {
  let sent = 0;
  let limit = Number.POSITIVE_INFINITY;
  let standing = Promise.withResolvers<void>();
  const sockets = new Set<Socket>();
  const waiting = new Set<() => void>();
  const server = createServer((client) => {
    const upstream = createConnection(to, "127.0.0.1");
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    }
    upstream.pipe(client);
    client.on("end", () => upstream.end()).on("close", () => upstream.destroy());
    client.on("data", (chunk: Buffer) => {
      sent += chunk.length;
      const pass = (): void => void upstream.write(chunk);
      if (sent <= limit) return pass();
      client.pause();
      waiting.add(() => {
        pass();
        client.resume();
      });
      standing.resolve();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    sent: () => sent,
    hold: (bytes) => {
      limit = sent + bytes;
      standing = Promise.withResolvers();
    },
    held: () => standing.promise,
    release: () => {
      limit = Number.POSITIVE_INFINITY;
      for (const go of waiting) go();
      waiting.clear();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
