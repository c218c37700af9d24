import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { OmniError, messageOf } from "../../core/index.ts";

/** Where a Docker engine's API is. */
export type DockerSocket =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number; readonly secure: boolean }
  | { readonly kind: "ssh"; readonly host: string; readonly port?: number; readonly user?: string };

export interface TlsFiles {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/**
 * Reads `unix:///var/run/docker.sock`, `tcp://host:2375`, `ssh://user@host` as Docker's own DOCKER_HOST is read. Port 2376
 * or DOCKER_TLS_VERIFY means TLS. Throws OmniError `runtime.unreachable` for anything else.
 */
export function parseDockerSocket(text: string, environment: NodeJS.ProcessEnv = process.env): DockerSocket {
  const url = URL.parse(text);
  if (url?.protocol === "unix:" && url.pathname.length > 1)
    return { kind: "unix", path: decodeURIComponent(url.pathname) };
  const host = url?.hostname.replace(/^\[(.*)\]$/, "$1") ?? "";
  if (url?.protocol === "tcp:" && host !== "") {
    const port = url.port === "" ? 2375 : Number(url.port);
    return {
      kind: "tcp",
      host,
      port,
      secure: port === 2376 || (environment["DOCKER_TLS_VERIFY"] ?? "") !== "",
    };
  }
  // A host that begins with a dash would be read by ssh as an option.
  if (url?.protocol === "ssh:" && host !== "" && !host.startsWith("-")) {
    return {
      kind: "ssh",
      host,
      ...(url.port === "" ? {} : { port: Number(url.port) }),
      ...(url.username === "" ? {} : { user: decodeURIComponent(url.username) }),
    };
  }
  throw new OmniError("runtime.unreachable", `${text} is no address of a Docker engine.`, {
    hint: "runtime.docker.socket: unix:///var/run/docker.sock, tcp://HOST:2376 or ssh://USER@HOST",
  });
}

/** For messages: never with what stands before an `@`. */
export const shownSocket = (socket: DockerSocket): string => {
  switch (socket.kind) {
    case "unix":
      return socket.path;
    case "tcp":
      return `${socket.host}:${socket.port}`;
    case "ssh":
      return `ssh to ${socket.host}`;
  }
};

/** Its containers' loopback is this machine's. */
export const isLocal = (socket: DockerSocket): boolean =>
  socket.kind === "unix" ||
  (socket.kind === "tcp" && /^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/.test(socket.host));

/** The client's files for TLS, from DOCKER_CERT_PATH or `~/.docker`, as Docker's own client looks for them. */
export function readTlsFiles(environment: NodeJS.ProcessEnv = process.env): TlsFiles {
  const folder = environment["DOCKER_CERT_PATH"] ?? join(homedir(), ".docker");
  const read = (name: string): Buffer => {
    try {
      return readFileSync(join(folder, name));
    } catch (thrown) {
      throw new OmniError(
        "runtime.unreachable",
        `Docker over TLS needs ${name} in ${folder}: ${messageOf(thrown)}.`,
        { hint: "DOCKER_CERT_PATH=<folder with ca.pem, cert.pem and key.pem>", cause: thrown },
      );
    }
  };
  return { ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem") };
}
