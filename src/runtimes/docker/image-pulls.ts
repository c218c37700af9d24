import type Dockerode from "dockerode";
import { OmniError } from "../../core/index.ts";
import type { StartProgress } from "../runtime.ts";
import { daemonAnswer, isMissing, isSilent } from "./daemon-answer.ts";
import type { DockerConnection } from "./docker-connection.ts";
import { imageError } from "./image-error.ts";
import type { DockerPlace, ImageLayer } from "./image-space.ts";
import { checkReserve, checkSpace, freeBytes } from "./image-space.ts";
import { PullProgress, pullMessage } from "./pull-progress.ts";
import { registryLogin } from "./registry-login.ts";
import { unreachableError } from "./unreachable-error.ts";

const BETWEEN_REPORTS = 250;
const BETWEEN_CHECKS = 2000;

export interface PullOptions {
  /** Docker's disk is this machine's. */
  readonly local: boolean;
  readonly dataFree?: number;
  /** Asks the registry for the layers' sizes, for the check before a pull; it may fail. */
  readonly imageLayers?: (image: string) => Promise<readonly ImageLayer[]>;
  readonly environment?: NodeJS.ProcessEnv;
  readonly onNote: (message: string) => void;
}

type Listener = (progress: StartProgress) => void;

interface Pull {
  readonly done: Promise<void>;
  readonly listeners: Set<Listener>;
  latest: StartProgress;
}

/** Pulls of images: one at a time for each image, which every start of it waits for. */
export class ImagePulls {
  readonly #connection: DockerConnection;
  readonly #options: PullOptions;
  readonly #pulls = new Map<string, Pull>();

  constructor(connection: DockerConnection, options: PullOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /**
   * Sees to it that an image is there. Throws OmniError `engine.no-image`, `engine.no-space`, `runtime.unreachable`, or
   * `engine.not-started` when the runtime was closed.
   */
  async ensure(image: string, service: string, place: DockerPlace, onProgress?: Listener): Promise<void> {
    if (await isThere(await this.#connection.api(), image)) return;
    const pull = this.#pulls.get(image) ?? this.#begin(image, service, place);
    if (onProgress !== undefined) {
      pull.listeners.add(onProgress);
      onProgress(pull.latest);
    }
    try {
      await pull.done;
    } finally {
      if (onProgress !== undefined) pull.listeners.delete(onProgress);
    }
  }

  #begin(image: string, service: string, place: DockerPlace): Pull {
    const listeners = new Set<Listener>();
    const latest: StartProgress = { message: `pulling ${image}` };
    const report = (progress: StartProgress): void => {
      pull.latest = progress;
      for (const listener of listeners) listener(progress);
    };
    const work = this.#pull(image, service, place, report).finally(() => this.#pulls.delete(image));
    const pull: Pull = { done: work, listeners, latest };
    this.#pulls.set(image, pull);
    return pull;
  }

  async #pull(image: string, service: string, place: DockerPlace, report: Listener): Promise<void> {
    const api = await this.#connection.api();
    await this.#checkBefore(api, image, service, place);
    const ended = AbortSignal.any([this.#connection.closing.signal]);
    try {
      const login = await registryLogin(image, this.#options.environment);
      const stream = await api.createImage(login, { ...reference(image), abortSignal: ended });
      await this.#follow(api, stream, { image, service, folder: place.folder }, report);
    } catch (thrown) {
      if (this.#connection.closing.signal.aborted)
        throw new OmniError("engine.not-started", `${service}: the pull of ${image} was ended with Omni.`, {
          cause: thrown,
        });
      if (thrown instanceof OmniError) throw thrown;
      if (isSilent(thrown)) throw unreachableError(this.#connection.socket, thrown);
      throw imageError(service, image, daemonAnswer(thrown).words);
    }
    if (!(await isThere(api, image)))
      throw imageError(service, image, "Docker ended the pull, and the image is not there");
  }

  async #checkBefore(api: Dockerode, image: string, service: string, { folder }: DockerPlace): Promise<void> {
    const { dataFree, local, imageLayers, onNote } = this.#options;
    const free = dataFree ?? (local ? await freeBytes(folder) : undefined);
    if (free === undefined || imageLayers === undefined) return;
    try {
      await checkSpace(api, { service, image, layers: await imageLayers(image), free, folder });
    } catch (thrown) {
      if (thrown instanceof OmniError && thrown.code === "engine.no-space") throw thrown;
      // What the registry refuses here it refuses Docker too, in better words; Docker may also know a mirror.
      onNote(`${service}: the size of ${image} is not known before its pull; the disk is watched meanwhile.`);
    }
  }

  async #follow(
    api: Dockerode,
    stream: NodeJS.ReadableStream,
    what: { readonly image: string; readonly service: string; readonly folder: string },
    report: Listener,
  ): Promise<void> {
    const progress = new PullProgress(what.image);
    let [reported, checked] = [-Infinity, performance.now()];
    // Leaving the loop closes the connection, and Docker ends the pull then.
    for await (const message of messages(stream)) {
      if (message.error !== undefined) throw imageError(what.service, what.image, message.error);
      progress.take(message);
      const now = performance.now();
      if (now - reported >= BETWEEN_REPORTS) {
        reported = now;
        report(progress.view());
      }
      if (this.#options.local && now - checked >= BETWEEN_CHECKS) {
        checked = now;
        await checkReserve(api, what, progress.missing);
      }
    }
    report(progress.view());
  }
}

async function isThere(api: Dockerode, image: string): Promise<boolean> {
  try {
    await api.getImage(image).inspect();
    return true;
  } catch (thrown) {
    if (isMissing(thrown)) return false;
    throw thrown;
  }
}

/** Without a tag Docker would pull all of them. */
export function reference(image: string): { readonly fromImage: string; readonly tag: string } {
  const [name = "", digest] = image.split("@");
  const colon = name.lastIndexOf(":");
  const tagged = colon > name.lastIndexOf("/");
  const fromImage = tagged ? name.slice(0, colon) : name;
  return { fromImage, tag: digest ?? (tagged ? name.slice(colon + 1) : "latest") };
}

/** The lines of JSON that Docker writes while it works. */
async function* messages(
  stream: NodeJS.ReadableStream,
): AsyncGenerator<ReturnType<typeof pullMessage.parse>> {
  let rest = "";
  for await (const chunk of stream) {
    const lines = `${rest}${chunk.toString("utf8")}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const message = line.trim() === "" ? undefined : pullMessage.safeParse(JSON.parse(line)).data;
      if (message !== undefined) yield message;
    }
  }
}
