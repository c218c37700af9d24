import { setMaxListeners } from "node:events";
import { Agent } from "node:http";
import { Agent as TlsAgent } from "node:https";
import type Dockerode from "dockerode";
import { optionalPart } from "../../core/index.ts";
import type { DockerSocket } from "./docker-socket.ts";
import { readTlsFiles } from "./docker-socket.ts";
import { SshAgent } from "./ssh-agent.ts";

/**
 * The API of one Docker engine. The library is loaded at the first use (it takes 300 ms); every socket belongs to one
 * agent, so that `close` leaves none open.
 */
export class DockerConnection {
  readonly socket: DockerSocket;
  /** Aborts when this connection is closed. */
  readonly closing = new AbortController();
  #api: Promise<Dockerode> | undefined;
  #agent: Agent | undefined;

  constructor(socket: DockerSocket) {
    this.socket = socket;
    // Two for each container that runs; a number above ten is no leak here.
    setMaxListeners(0, this.closing.signal);
  }

  api(): Promise<Dockerode> {
    this.#api ??= this.#open();
    return this.#api;
  }

  close(): void {
    this.closing.abort();
    this.#agent?.destroy();
    this.#agent = undefined;
    this.#api = undefined;
  }

  async #open(): Promise<Dockerode> {
    const { default: Docker } = await optionalPart("dockerode", () => import("dockerode"));
    const agent = this.#newAgent();
    this.#agent = agent;
    // Everything is named: what is left out, the library takes from DOCKER_HOST.
    const options = {
      socketPath: undefined,
      host: undefined,
      port: undefined,
      protocol: "http" as const,
      agent,
    };
    switch (this.socket.kind) {
      case "unix":
        return new Docker({ ...options, socketPath: this.socket.path });
      case "tcp":
        return new Docker({
          ...options,
          host: this.socket.host,
          port: this.socket.port,
          ...(this.socket.secure ? { protocol: "https", ...readTlsFiles() } : {}),
        });
      case "ssh":
        return new Docker({ ...options, host: "docker", port: 80 });
    }
  }

  /** A socket a request: one that is kept would break the first request after the engine was restarted. */
  #newAgent(): Agent {
    if (this.socket.kind === "ssh") return new SshAgent(this.socket);
    if (this.socket.kind === "tcp" && this.socket.secure) return new TlsAgent({ keepAlive: false });
    return new Agent({ keepAlive: false });
  }
}
