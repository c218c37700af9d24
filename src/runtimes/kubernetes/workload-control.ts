import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { ApiError } from "./api-error.ts";
import { Backoff } from "./backoff.ts";
import type { ClusterSession } from "./cluster-session.ts";
import type { Pod } from "./pod.ts";
import type { Resource } from "./resource-paths.ts";
import type { Workload } from "./workload.ts";
import type { WatchedObjects } from "./watched-objects.ts";

const GENERATION = z.object({ metadata: z.object({ generation: z.number().default(0) }) });

/** The workload of one unit, and how to end what it runs. */
export interface WorkloadHandle {
  readonly name: string;
  readonly resource: Resource;
  readonly watched: WatchedObjects<Workload>;
}

/** Ends the pods of one workload, however often the API server is away meanwhile. */
export class WorkloadControl {
  readonly #session: ClusterSession;
  readonly #handle: WorkloadHandle;
  readonly #fieldManager: string;
  readonly #onTrouble: (error: unknown) => void;
  #scaling: Promise<number> | undefined;

  constructor(
    session: ClusterSession,
    handle: WorkloadHandle,
    fieldManager: string,
    onTrouble: (error: unknown) => void,
  ) {
    this.#session = session;
    this.#handle = handle;
    this.#fieldManager = fieldManager;
    this.#onTrouble = onTrouble;
  }

  /** What the API shows of it; `undefined` once it was deleted. */
  seen(): Workload | undefined {
    return this.#handle.watched.all().find(({ name }) => name === this.#handle.name);
  }

  /**
   * Scales it to 0, once, and returns the generation by which its controller shows that it has seen it. It is not deleted:
   * its objects are the owner's rendering, and a start applies them again.
   */
  scaleDown(): Promise<number> {
    const { name, resource } = this.#handle;
    this.#scaling ??= this.#untilDone(async () => {
      const answer = await this.#session.client.json({
        method: "PATCH",
        path: `${resource.path(this.#session.namespace)}/${name}`,
        query: { fieldManager: this.#fieldManager },
        contentType: "application/merge-patch+json",
        body: { spec: { replicas: 0 } },
      });
      return GENERATION.parse(answer).metadata.generation;
    });
    return this.#scaling;
  }

  /**
   * Asks the kubelet to end a pod within `seconds`. Never 0 at first: the API then forgets a pod whose engine may still
   * hold its cards.
   */
  async end(pod: Pod, seconds: number): Promise<void> {
    await this.#untilDone(async () => {
      await this.#session.client.json({
        method: "DELETE",
        path: this.#session.podPath(pod.name),
        body: { gracePeriodSeconds: seconds, preconditions: { uid: pod.uid } },
      });
      return 0;
    });
  }

  /** Repeats what the network or the API server kept from happening; what is gone already is done. */
  async #untilDone(act: () => Promise<number>): Promise<number> {
    const { signal } = this.#session.closing;
    const backoff = new Backoff(...this.#session.options.backoff);
    for (let told = false; !signal.aborted;) {
      try {
        return await act();
      } catch (error) {
        // 404: gone. 409: a pod of the same name that is not this one.
        if (error instanceof ApiError && (error.status === 404 || error.status === 409)) return 0;
        if (!told) this.#onTrouble(error);
        told = true;
        await backoff.wait(signal);
      }
    }
    // The session is closed: nobody waits for an end any more.
    await sleep(0);
    return 0;
  }
}
