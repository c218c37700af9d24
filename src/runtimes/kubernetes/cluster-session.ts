import { messageOf } from "../../core/index.ts";
import { ApiClient } from "./api-client.ts";
import { ApiError } from "./api-error.ts";
import type { AccessOptions } from "./cluster-access.ts";
import { clusterAccess } from "./cluster-access.ts";
import type { Asked } from "./cluster-fault.ts";
import { clusterFault } from "./cluster-fault.ts";
import { NODE_LABEL } from "./marks.ts";
import type { Pod } from "./pod.ts";
import { readPod } from "./pod.ts";
import type { PodEvent } from "./pod-event.ts";
import { readPodEvent } from "./pod-event.ts";
import { ResourcePaths } from "./resource-paths.ts";
import type { Workload } from "./workload.ts";
import { readWorkload } from "./workload.ts";
import type { Observed } from "./watched-objects.ts";
import { WatchedObjects } from "./watched-objects.ts";

export interface SessionOptions extends AccessOptions {
  readonly namespace: string;
  /** As the value of a label. */
  readonly node: string;
  readonly onNote: (note: string) => void;
  /** First and longest wait between two attempts of what goes on for ever, ms. */
  readonly backoff: readonly [number, number];
}

/**
 * One cluster as one node uses it: a signed client and the watches that all its engines share, one a kind. Nothing is
 * asked while nothing changes; three idle connections are what it costs.
 */
export class ClusterSession {
  readonly client: ApiClient;
  readonly paths: ResourcePaths;
  readonly namespace: string;
  readonly options: SessionOptions;
  readonly pods: WatchedObjects<Pod>;
  readonly events: WatchedObjects<PodEvent>;
  readonly #workloads = new Map<string, WatchedObjects<Workload>>();
  /** Ends with the session. */
  readonly closing = new AbortController();
  readonly closed: Promise<void>;

  private constructor(client: ApiClient, options: SessionOptions) {
    this.client = client;
    this.closed = new Promise((resolve) => {
      this.closing.signal.addEventListener("abort", () => resolve(), { once: true });
    });
    this.options = options;
    this.namespace = options.namespace;
    this.paths = new ResourcePaths(client);
    this.pods = this.#watch("pods", this.podPath(), this.#ours(), readPod);
    this.events = this.#watch(
      "events",
      `/api/v1/namespaces/${this.namespace}/events`,
      { fieldSelector: "involvedObject.kind=Pod" },
      readPodEvent,
    );
  }

  /** Throws OmniError `cluster.*` when there are no credentials, or the cluster does not answer. */
  static async open(options: SessionOptions): Promise<ClusterSession> {
    const session = new ClusterSession(new ApiClient(await clusterAccess(options)), options);
    try {
      await session.asked(session.watching("pods"), session.pods.ready());
      // Without the events a start is as good, and its owner reads less: no reason to refuse it.
      await session.events.ready().catch((error: unknown) => {
        const fault = clusterFault(error, session.watching("events"), session.client.access.server);
        options.onNote(`Events of pods are not shown: ${fault.message} ${fault.hint}`);
      });
    } catch (error) {
      await session.close();
      throw error;
    }
    return session;
  }

  podPath(name?: string): string {
    const all = `/api/v1/namespaces/${this.namespace}/pods`;
    return name === undefined ? all : `${all}/${name}`;
  }

  /** The workloads of this node of one kind, watched from the first call on. Throws OmniError `cluster.*`. */
  async workloads(apiVersion: string, kind: string): Promise<WatchedObjects<Workload>> {
    const resource = await this.paths.of(apiVersion, kind);
    const { group, plural } = resource;
    const known = this.#workloads.get(plural);
    const watched = known ?? this.#watch(plural, resource.path(this.namespace), this.#ours(), readWorkload);
    this.#workloads.set(plural, watched);
    try {
      await this.asked({ ...this.watching(plural), group }, watched.ready());
    } catch (error) {
      this.#workloads.delete(plural);
      throw error;
    }
    return watched;
  }

  /** The answer, or its refusal as an `OmniError` that says what to do. */
  async asked<T>(asked: Asked, answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      throw clusterFault(error, asked, this.client.access.server);
    }
  }

  watching(resource: string): Asked {
    return { verb: "list", resource, group: "", namespace: this.namespace, purpose: "follow its engines" };
  }

  async close(): Promise<void> {
    this.closing.abort();
    await Promise.all(
      [this.pods, this.events, ...this.#workloads.values()].map((watched) => watched.close()),
    );
  }

  #ours(): Readonly<Record<string, string>> {
    return { labelSelector: `${NODE_LABEL}=${this.options.node}` };
  }

  #watch<T extends Observed>(
    resource: string,
    path: string,
    query: Readonly<Record<string, string>>,
    read: (object: unknown) => T | undefined,
  ): WatchedObjects<T> {
    const { onNote, backoff } = this.options;
    return new WatchedObjects({
      client: this.client,
      path,
      query,
      read,
      backoff,
      onTrouble: (error) => {
        const words =
          error instanceof ApiError
            ? clusterFault(error, this.watching(resource), this.client.access.server).message
            : messageOf(error);
        onNote(
          `The API server is not heard of (${resource}: ${words}); engines are taken to be as last seen, and it is asked again.`,
        );
      },
      onRecovered: () => onNote(`The API server answers again (${resource}).`),
    });
  }
}
