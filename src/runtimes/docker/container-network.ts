import type Dockerode from "dockerode";
import { OmniError } from "../../core/index.ts";
import { plainName } from "./container-request.ts";
import { NODE_LABEL } from "./container-labels.ts";
import { daemonAnswer, isMissing } from "./daemon-answer.ts";

/** How a container is joined to networks, and how Omni reaches it there. */
export interface Attachment {
  readonly first: string;
  readonly others: readonly string[];
  readonly reach:
    /** Its port appears on a machine's address. */
    | "published"
    /** By its own address in `first`: Docker publishes nothing of internal networks, but its machine is part of them. */
    | "own-address"
    /** It has no network of its own. */
    | "host";
}

interface FoundNetwork {
  readonly name: string;
  readonly driver: string;
  readonly internal: boolean;
  readonly sealedFromHost: boolean;
}

/** Drivers whose containers Docker publishes ports of. */
const PUBLISHES: ReadonlySet<string> = new Set(["bridge", "overlay"]);

/** The networks of one node's containers: those that services name, and one bridge for those that name none. */
export class ContainerNetworks {
  readonly #node: string;
  readonly #onNote: (message: string) => void;
  readonly #asked = new Map<string, Promise<FoundNetwork>>();

  constructor(node: string, onNote: (message: string) => void) {
    this.#node = node;
    this.#onNote = onNote;
  }

  /** The bridge of containers that name no network; they do not see each other in it. */
  get own(): string {
    return `omni-${plainName(this.#node, 40)}`;
  }

  /**
   * Networks that are not there are made as plain bridges. One that only internal networks hold is not given a way out
   * for Omni's sake. Throws OmniError `engine.not-started` when Omni would then not reach it.
   */
  async attach(
    api: Dockerode,
    service: string,
    names: readonly string[],
    local: boolean,
  ): Promise<Attachment> {
    const networks = await Promise.all(names.map((name) => this.#find(api, name, service)));
    const host = networks.find(({ driver }) => driver === "host");
    if (host !== undefined) return { first: host.name, others: [], reach: "host" };
    const open = networks.find(({ driver, internal }) => PUBLISHES.has(driver) && !internal);
    const others = (first: string): readonly string[] => names.filter((name) => name !== first);
    if (open !== undefined) return { first: open.name, others: others(open.name), reach: "published" };
    const [first] = networks;
    if (first === undefined || networks.some(({ internal }) => !internal)) {
      await this.#ensureOwn(api);
      return { first: this.own, others: names, reach: "published" };
    }
    const shared = networks.find(({ sealedFromHost }) => !sealedFromHost);
    if (shared === undefined || !local) {
      const why = local ? "have no address on this machine" : "are internal, and Docker is another machine's";
      throw new OmniError(
        "engine.not-started",
        `${service}: its networks ${names.join(", ")} ${why}: Omni would not reach it.`,
        {
          hint: "Run Omni's gateway in a container of that network (omni render --target compose), or name one more network.",
        },
      );
    }
    return { first: shared.name, others: others(shared.name), reach: "own-address" };
  }

  /** Removes the node's own bridge; it stays while a container uses it. */
  async close(api: Dockerode): Promise<void> {
    await api
      .getNetwork(this.own)
      .remove()
      .catch(() => {});
  }

  #find(api: Dockerode, name: string, service: string): Promise<FoundNetwork> {
    return this.#once(name, async () => {
      const there = await inspect(api, name);
      if (there !== undefined) return there;
      await create(api, name, this.#node, {});
      this.#onNote(`${service}: the network ${name} was not there; it is made as a plain bridge.`);
      return { name, driver: "bridge", internal: false, sealedFromHost: false };
    });
  }

  #ensureOwn(api: Dockerode): Promise<FoundNetwork> {
    return this.#once(this.own, async () => {
      const there = await inspect(api, this.own);
      if (there !== undefined) return there;
      await create(api, this.own, this.#node, { "com.docker.network.bridge.enable_icc": "false" });
      return { name: this.own, driver: "bridge", internal: false, sealedFromHost: false };
    });
  }

  /** Starts side by side ask once, and never make the same network twice. */
  #once(name: string, find: () => Promise<FoundNetwork>): Promise<FoundNetwork> {
    const under = this.#asked.get(name);
    if (under !== undefined) return under;
    const found = find().finally(() => this.#asked.delete(name));
    this.#asked.set(name, found);
    return found;
  }
}

async function inspect(api: Dockerode, name: string): Promise<FoundNetwork | undefined> {
  try {
    const { Driver, Internal, Options } = await api.getNetwork(name).inspect();
    const sealedFromHost = Options?.["com.docker.network.bridge.inhibit_ipv4"] === "true";
    return { name, driver: Driver, internal: Internal, sealedFromHost };
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
}

async function create(
  api: Dockerode,
  name: string,
  node: string,
  options: Readonly<Record<string, string>>,
): Promise<void> {
  try {
    await api.createNetwork({
      Name: name,
      Driver: "bridge",
      CheckDuplicate: true,
      Options: { ...options },
      Labels: { [NODE_LABEL]: node },
    });
  } catch (thrown) {
    // Another program made it in the same moment.
    if (daemonAnswer(thrown).status !== 409) throw thrown;
  }
}
