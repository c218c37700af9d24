import { randomUUID } from "node:crypto";
import type Dockerode from "dockerode";
import type { Address } from "../../core/index.ts";
import { OmniError } from "../../core/index.ts";
import type { ContainerLaunch, LaunchSpec } from "../../engines/engine.ts";
import type { Runtime, StartProgress, Unit } from "../runtime.ts";
import { publishedAt } from "./container-address.ts";
import { unitLabels } from "./container-labels.ts";
import { ContainerNetworks } from "./container-network.ts";
import type { Attachment } from "./container-network.ts";
import { containerName, containerRequest } from "./container-request.ts";
import { containerUnit } from "./container-unit.ts";
import { isSilent } from "./daemon-answer.ts";
import { DockerConnection } from "./docker-connection.ts";
import { isLocal, parseDockerSocket } from "./docker-socket.ts";
import { ImagePulls } from "./image-pulls.ts";
import { dockerPlace } from "./image-space.ts";
import type { DockerPlace, ImageLayer } from "./image-space.ts";
import { LoopbackPorts } from "./loopback-ports.ts";
import { isLimitRefused, startContainer } from "./start-container.ts";
import { survivorsOf } from "./survivors.ts";
import { refusedError, unreachableError } from "./unreachable-error.ts";

export interface DockerRuntimeOptions {
  /** `unix:///var/run/docker.sock`, `tcp://host:2376` or `ssh://user@host`. */
  readonly socket: string;
  /** Of the state folder: only containers that carry it are ever touched. */
  readonly node: string;
  /** Docker's data folder, where Docker itself does not say. */
  readonly dataRoot: string;
  /** Bytes free there, when the owner says so. */
  readonly dataFree?: number;
  /** On every container. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Compressed sizes of an image's layers by its registry; without it the disk is only watched while a pull runs. */
  readonly imageLayers?: (image: string) => Promise<readonly ImageLayer[]>;
  /** What an owner should know and no start fails for: a network that was made, Docker that does not answer. */
  readonly onNote?: (message: string) => void;
}

/** Runs engines in containers. Nothing is asked of Docker before the first call. Throws for a socket that is none. */
export function createDockerRuntime(options: DockerRuntimeOptions): Runtime {
  return new DockerRuntime(options);
}

class DockerRuntime implements Runtime {
  readonly name = "docker";
  readonly #options: DockerRuntimeOptions;
  readonly #connection: DockerConnection;
  readonly #networks: ContainerNetworks;
  readonly #pulls: ImagePulls;
  readonly #ports = new LoopbackPorts();
  readonly #onNote: (message: string) => void;
  #place: DockerPlace | undefined;
  #limitsRefused = false;

  constructor(options: DockerRuntimeOptions) {
    this.#options = options;
    this.#onNote = options.onNote ?? ((): void => {});
    this.#connection = new DockerConnection(parseDockerSocket(options.socket));
    this.#networks = new ContainerNetworks(options.node, this.#onNote);
    this.#pulls = new ImagePulls(this.#connection, {
      local: this.#connection.socket.kind === "unix",
      onNote: this.#onNote,
      ...(options.dataFree === undefined ? {} : { dataFree: options.dataFree }),
      ...(options.imageLayers === undefined ? {} : { imageLayers: options.imageLayers }),
    });
  }

  survivors(): ReturnType<Runtime["survivors"]> {
    return this.#reached(() => survivorsOf(this.#connection, this.#options.node, this.#onNote));
  }

  async allocate(_service: string, { port }: { readonly port?: number }): Promise<Address> {
    return { kind: "tcp", host: "127.0.0.1", port: await this.#ports.take(port) };
  }

  start(launch: LaunchSpec, onProgress?: (progress: StartProgress) => void): Promise<Unit> {
    return this.#reached(() => this.#start(launch, onProgress));
  }

  async close({ keep = false } = {}): Promise<void> {
    if (!keep && this.#place !== undefined) await this.#networks.close(await this.#connection.api());
    this.#connection.close();
  }

  async #start(launch: LaunchSpec, onProgress?: (progress: StartProgress) => void): Promise<Unit> {
    const { container } = launch;
    if (container === undefined)
      throw new OmniError("engine.not-started", `${launch.service}: nothing says which container it is.`);
    const api = await this.#connection.api();
    const place = (this.#place ??= await dockerPlace(api, this.#options.dataRoot));
    await this.#pulls.ensure(container.image, launch.service, place, onProgress);
    const unit = randomUUID();
    const startedAt = Date.now();
    const attachment = await this.#attach(api, launch, container);
    const publish =
      attachment.reach === "published"
        ? { publish: await publishedAt(this.#connection.socket, launch.address) }
        : {};
    const id = await this.#withLimits(launch, place, (raiseLimits) => {
      const request = containerRequest(launch, container, {
        name: containerName(this.#options.node, launch.service, unit),
        labels: { ...this.#options.labels, ...unitLabels(this.#options.node, { unit, startedAt }, launch) },
        network: attachment.first,
        sealed: attachment.reach === "own-address",
        raiseLimits,
        ...publish,
      });
      return startContainer(api, launch, request, attachment.others);
    });
    const { service, digest } = launch;
    const labelled = { unit, service, digest, startedAt, port: container.port };
    try {
      return await containerUnit(this.#connection, id, { ...labelled, adopted: false, onNote: this.#onNote });
    } catch (thrown) {
      await api
        .getContainer(id)
        .remove({ v: true, force: true })
        .catch(() => {});
      throw thrown;
    }
  }

  /** Limits for pinned memory are raised where Docker may do so; where it may not, it is told once. */
  async #withLimits<T>(
    { service }: LaunchSpec,
    place: DockerPlace,
    start: (raise: boolean) => Promise<T>,
  ): Promise<T> {
    if (place.rootless || this.#limitsRefused) return start(false);
    try {
      return await start(true);
    } catch (thrown) {
      if (!isLimitRefused(thrown)) throw thrown;
      this.#limitsRefused = true;
      this.#onNote(
        `${service}: Docker may not raise the limit for locked memory here; engines that pin memory are slower, or fail when they ask for it.`,
      );
      return start(false);
    }
  }

  #attach(api: Dockerode, { service }: LaunchSpec, { networks }: ContainerLaunch): Promise<Attachment> {
    // Over SSH, Docker's machine itself is the one that reaches it.
    const local = isLocal(this.#connection.socket) || this.#connection.socket.kind === "ssh";
    return this.#networks.attach(api, service, networks, local);
  }

  /** Runs `work`; where Docker does not answer, the error says what to do. */
  async #reached<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      if (thrown instanceof OmniError) throw thrown;
      const { socket } = this.#connection;
      throw isSilent(thrown) ? unreachableError(socket, thrown) : refusedError(socket, thrown);
    }
  }
}
