import { randomUUID } from "node:crypto";
import type { Address } from "../../core/index.ts";
import { OmniError } from "../../core/index.ts";
import type { ClusterObject, LaunchSpec } from "../../engines/engine.ts";
import type { Runtime, StartProgress, Survivor, Unit } from "../runtime.ts";
import { applyObject, refuseOwners } from "./applied-objects.ts";
import type { AccessOptions } from "./cluster-access.ts";
import { ClusterSession } from "./cluster-session.ts";
import { engineReach } from "./engine-reach.ts";
import { KubernetesUnit } from "./kubernetes-unit.ts";
import type { UnitOptions } from "./unit-options.ts";
import { LocalListener } from "./local-listener.ts";
import type { Marks } from "./marks.ts";
import { nodeLabel } from "./marks.ts";
import { serviceAddress } from "./service-address.ts";
import { markedObject, markedWorkload, WORKLOAD_KINDS, type Workload } from "./workload.ts";
import type { WorkloadHandle } from "./workload-control.ts";

export interface KubernetesRuntimeOptions extends AccessOptions {
  /** All that this runtime sees and writes is in it. */
  readonly namespace: string;
  /** What tells this node from others that use the same namespace, such as its state folder's id. */
  readonly node: string;
  /** Name under which the API remembers what Omni wrote; `omni` when absent. */
  readonly fieldManager?: string;
  /** Takes over fields that other managers own, in place of refusing. */
  readonly force?: boolean;
  /** For the owner: the API server is away, a pod took another's place. */
  readonly onNote?: (note: string) => void;
  /** First and longest wait between two attempts of what goes on for ever, ms. */
  readonly backoff?: readonly [number, number];
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** Attempts at what the API server or a network in between refuses for a while. */
const BACKOFF = [250, 15_000] as const;
const LOOPBACK = "127.0.0.1";
/** The longest delay of a timer, ms: who was running is given all the time there is. */
const LONGEST = 2 ** 31 - 1;

/**
 * Runs engines as workloads of a Kubernetes cluster, with what `kubectl` would use, or as the pod that this is. Nothing
 * is loaded or asked before the first use. Each start is one server-side apply; an ended engine's workload has 0
 * replicas, and what belongs to it stays.
 */
export function createKubernetesRuntime(options: KubernetesRuntimeOptions): Runtime {
  return new KubernetesRuntime(options);
}

class KubernetesRuntime implements Runtime {
  readonly name = "kubernetes";
  readonly #options: KubernetesRuntimeOptions;
  readonly #node: string;
  readonly #fieldManager: string;
  /** By port, those that no engine has taken yet by service. */
  readonly #listeners = new Map<string, LocalListener>();
  readonly #units = new Set<KubernetesUnit>();
  #session: Promise<ClusterSession> | undefined;

  constructor(options: KubernetesRuntimeOptions) {
    this.#options = options;
    this.#node = nodeLabel(options.node);
    this.#fieldManager = options.fieldManager ?? "omni";
  }

  async survivors(): Promise<readonly Survivor[]> {
    const session = await this.#open();
    const found: Survivor[] = [];
    for (const [apiVersion, kind] of WORKLOAD_KINDS) {
      const resource = await session.paths.find(apiVersion, kind);
      if (resource === undefined) continue;
      const watched = await session.workloads(apiVersion, kind);
      for (const workload of watched.all()) {
        if (workload.replicas > 0)
          found.push(this.#survivor(session, workload, { name: workload.name, resource, watched }));
      }
    }
    return found;
  }

  async allocate(
    service: string,
    wants: { readonly socket: boolean; readonly port?: number },
  ): Promise<Address> {
    const session = await this.#open();
    await this.#listeners.get(service)?.close();
    this.#listeners.delete(service);
    // The Service that a start brings is authoritative: the unit's own address tells it.
    if (session.client.access.inCluster && wants.port !== undefined) {
      return { kind: "tcp", host: `${service}.${session.namespace}.svc`, port: wants.port };
    }
    const listener = await LocalListener.open(wants.port);
    this.#listeners.set(service, listener);
    return { kind: "tcp", host: LOOPBACK, port: listener.port };
  }

  async start(launch: LaunchSpec, onProgress?: (progress: StartProgress) => void): Promise<Unit> {
    const [workload, ...belongings] = launch.objects ?? [];
    if (workload === undefined) {
      throw new OmniError("cluster.refused", `${launch.service} brings no objects to apply.`, {
        hint: "The service needs an image: engines.NAME.image or engines.NAME.build.",
      });
    }
    refuseOwners(belongings, launch.service);
    const session = await this.#open();
    const within = session.client.access.inCluster ? serviceAddress(launch, session.namespace) : undefined;
    const listener = within === undefined ? await this.#listener(launch.service, undefined) : undefined;
    const marks: Marks = {
      unit: randomUUID(),
      service: launch.service,
      digest: launch.digest,
      startedAt: (this.#options.now ?? Date.now)(),
      host: within?.host ?? LOOPBACK,
      port: within?.port ?? listener?.port ?? 0,
    };
    const handle = await this.#handle(session, workload);
    // What its pods refer to comes first, so that none has to wait for it.
    await this.#apply(
      session,
      belongings.map((object) => markedObject(object, this.#node)),
      launch,
    );
    await this.#apply(session, [markedWorkload(workload, marks, this.#node)], launch);
    const how = { adopted: false, patience: launch.loadTimeout, onProgress };
    const unit = this.#unit(session, handle, marks, listener, how);
    if (session.closing.signal.aborted) await unit.release();
    try {
      await unit.started();
    } catch (error) {
      // A start that failed leaves nothing behind, unless the runtime is closed meanwhile.
      await Promise.race([unit.exited, session.closed]);
      throw error;
    }
    return unit;
  }

  async close(): Promise<void> {
    const session = await this.#session?.catch(() => undefined);
    this.#session = undefined;
    session?.closing.abort();
    await Promise.all([...this.#units].map((unit) => unit.release()));
    this.#units.clear();
    await Promise.all([...this.#listeners.values()].map((listener) => listener.close()));
    this.#listeners.clear();
    await session?.close();
  }

  #open(): Promise<ClusterSession> {
    if (this.#session !== undefined) return this.#session;
    const { onNote = () => {}, backoff = BACKOFF } = this.#options;
    const session = ClusterSession.open({ ...this.#options, node: this.#node, onNote, backoff });
    this.#session = session;
    // A cluster that was away may be there at the next attempt.
    session.catch(() => {
      if (this.#session === session) this.#session = undefined;
    });
    return session;
  }

  async #handle(session: ClusterSession, workload: ClusterObject): Promise<WorkloadHandle> {
    const { apiVersion, kind, metadata } = workload;
    if (!WORKLOAD_KINDS.some(([version, name]) => version === apiVersion && name === kind)) {
      throw new OmniError(
        "cluster.refused",
        `${kind} of ${apiVersion} is no workload that Omni can follow.`,
        {
          hint: `It follows: ${WORKLOAD_KINDS.map(([version, name]) => `${name} (${version})`).join(", ")}.`,
        },
      );
    }
    const watched = await session.workloads(apiVersion, kind);
    return { name: metadata.name, resource: await session.paths.of(apiVersion, kind), watched };
  }

  async #apply(
    session: ClusterSession,
    objects: readonly ClusterObject[],
    launch: LaunchSpec,
  ): Promise<void> {
    for (const object of objects) {
      await applyObject(session, object, {
        fieldManager: this.#fieldManager,
        force: this.#options.force ?? false,
        service: launch.service,
        secrets: Object.values(launch.environment),
      });
    }
  }

  /** The unit of one start; `listener` is the port of this machine that leads to it, where it needs one. */
  #unit(
    session: ClusterSession,
    handle: WorkloadHandle,
    marks: Marks,
    listener: LocalListener | undefined,
    how: Pick<UnitOptions, "adopted" | "patience" | "onProgress">,
  ): KubernetesUnit {
    const address: Address = {
      kind: "tcp",
      host: listener === undefined ? marks.host : LOOPBACK,
      port: listener?.port ?? marks.port,
    };
    const unit = new KubernetesUnit({
      ...how,
      session,
      handle,
      marks,
      address,
      fieldManager: this.#fieldManager,
    });
    const reach = engineReach({ session, pod: () => unit.pod(), onTrouble: (words) => unit.say(words) });
    listener?.carry(reach.carry);
    this.#units.add(unit);
    void this.#afterExit(unit, listener, reach.close);
    return unit;
  }

  async #afterExit(
    unit: KubernetesUnit,
    listener: LocalListener | undefined,
    close: () => void,
  ): Promise<void> {
    await unit.exited;
    this.#units.delete(unit);
    close();
    // The next start of the service may have taken it over.
    if (listener === undefined || this.#listeners.get(unit.service) !== listener) return;
    this.#listeners.delete(unit.service);
    await listener.close();
  }

  /** The port that was allocated to a service, or one that is opened now: `port` where it is free. */
  async #listener(service: string, port: number | undefined): Promise<LocalListener> {
    const known = this.#listeners.get(service) ?? (await LocalListener.open(port));
    this.#listeners.set(service, known);
    return known;
  }

  #survivor(session: ClusterSession, workload: Workload, handle: WorkloadHandle): Survivor {
    const { marks } = workload;
    const take = async (): Promise<KubernetesUnit> => {
      const local = marks.host === LOOPBACK || !session.client.access.inCluster;
      const listener = local ? await this.#listener(marks.service, marks.port) : undefined;
      return this.#unit(session, handle, marks, listener, { adopted: true, patience: LONGEST });
    };
    return {
      id: marks.unit,
      service: marks.service,
      digest: marks.digest,
      adopt: async () => {
        const now = handle.watched.all().find(({ uid }) => uid === workload.uid);
        const pods = session.pods.all().filter(({ unit, deleting }) => unit === marks.unit && !deleting);
        const lives = pods.some(({ engine }) => engine?.state.running !== undefined || engine === undefined);
        if (now !== undefined && now.replicas > 0 && now.marks.unit === marks.unit && lives) return take();
        throw new OmniError(
          "engine.not-started",
          `${marks.service} ended in the cluster before it was taken over.`,
        );
      },
      end: async () => {
        await (await take()).stop(0);
      },
    };
  }
}
