import type { Address } from "../../core/index.ts";
import { messageOf, OmniError } from "../../core/index.ts";
import type { ProcessExit } from "../../engines/engine.ts";
import type { Unit } from "../runtime.ts";
import type { ClusterSession } from "./cluster-session.ts";
import { EngineLines } from "./engine-lines.ts";
import type { Ended, Pod } from "./pod.ts";
import { endedSince, exitOf, isReady, isRunning } from "./pod.ts";
import { PodEvents } from "./pod-events.ts";
import { followLog } from "./follow-log.ts";
import type { PodLog } from "./pod-log.ts";
import { neverStarted, whyEnded } from "./pod-trouble.ts";
import { StartWait } from "./start-wait.ts";
import type { UnitOptions } from "./unit-options.ts";
import { WorkloadControl } from "./workload-control.ts";

/** How long the last lines of an ended container may take to arrive, ms. */
const LAST_WORDS = 2000;
/** How long a kubelet may take to say that a pod is gone that it was to end at once, before the node counts as lost, ms. */
const NODE_LOST = 60_000;

/**
 * One engine in the cluster: the pods that one start made. Kubernetes starts an ended container again by itself, and
 * the supervisor is the one who decides on that: so the first end of the container is the end of the unit, and the
 * workload is scaled to 0 until the next start applies it again. A pod that another one has taken over from, ready
 * before the first went (a rolling update), is no end.
 */
export class KubernetesUnit implements Unit {
  readonly id: string;
  readonly service: string;
  readonly digest: string;
  readonly startedAt: number;
  readonly adopted: boolean;
  readonly address: Address;
  readonly exited: Promise<ProcessExit>;
  readonly #session: ClusterSession;
  readonly #control: WorkloadControl;
  readonly #lines = new EngineLines();
  readonly #events: PodEvents;
  readonly #wait: StartWait;
  readonly #exit = Promise.withResolvers<ProcessExit>();
  readonly #started = Promise.withResolvers<void>();
  readonly #unsubscribe: (() => void)[];
  #log: PodLog | undefined;
  #uid: string | undefined;
  /** Restarts of the current pod's container that lie before this unit's time. */
  #restarts = 0;
  #ended: ProcessExit | undefined;
  #ending: Promise<void> | undefined;
  #stopping = false;
  #finished = false;
  #released = false;
  #scaledAt: number | undefined;
  #lost: NodeJS.Timeout | undefined;

  constructor(options: UnitOptions) {
    const { session, marks } = options;
    this.#session = session;
    this.id = marks.unit;
    this.service = marks.service;
    this.digest = marks.digest;
    this.startedAt = marks.startedAt;
    this.adopted = options.adopted;
    this.address = options.address;
    this.exited = this.#exit.promise;
    this.#control = new WorkloadControl(session, options.handle, options.fieldManager, (error) =>
      this.#note(`it cannot be ended yet: ${messageOf(error)}`),
    );
    this.#wait = new StartWait({
      service: marks.service,
      patience: options.patience,
      onProgress: options.onProgress,
      lines: this.#lines,
      onFailed: (error) => {
        this.#fail(error);
        void this.#bringDown(1);
      },
    });
    this.#events = new PodEvents((words, warning) => this.#hear(words, warning));
    // Whoever does not wait for the start must not be struck by its failure.
    this.#started.promise.catch(() => {});
    this.#unsubscribe = [
      session.pods.subscribe(({ type, object }) => {
        if (object.unit === this.id) this.#look(type === "gone" ? object : undefined);
      }),
      session.events.subscribe(({ object }) => {
        if (this.#pods().some(({ uid }) => uid === object.pod)) this.#events.take(object);
      }),
      options.handle.watched.subscribe(({ object }) => {
        if (object.name === options.handle.name) this.#look(undefined);
      }),
    ];
    if (options.adopted)
      this.#restarts = Math.max(0, ...this.#pods().map((pod) => pod.engine?.restartCount ?? 0));
    this.#look(undefined);
  }

  /** Resolves once the engine's process exists. Throws the OmniError of a start that cannot come true. */
  started(): Promise<void> {
    return this.#started.promise;
  }

  /** The pod that answers now. */
  pod(): Pod | undefined {
    return this.#pods().find(({ uid }) => uid === this.#uid);
  }

  lastLines(): readonly string[] {
    return this.#lines.last();
  }

  onLine(listener: (line: string) => void): () => void {
    return this.#lines.subscribe(listener);
  }

  /** Its processes are of another machine, and where they are of this one nobody says which. */
  processes(): Promise<readonly number[]> {
    return Promise.resolve([]);
  }

  say(words: string): void {
    this.#lines.say(words);
  }

  stop(deadline: number): Promise<ProcessExit> {
    if (this.#finished) return this.exited;
    // It is the next Omni's: how it ends is not seen here.
    if (this.#released) return Promise.resolve({ code: null, signal: null });
    this.#stopping = true;
    const seconds = Math.max(1, Math.ceil(deadline / 1000));
    void this.#bringDown(seconds);
    return this.exited;
  }

  /** Lets go of it without ending it; a start that was under way is told. */
  async release(): Promise<void> {
    this.#released = true;
    this.#started.reject(
      new OmniError("engine.not-started", `Omni let go of ${this.service} while it started.`),
    );
    this.#forget();
    await this.#log?.close();
  }

  #pods(): readonly Pod[] {
    return this.#session.pods.all().filter(({ unit, worker }) => unit === this.id && !worker);
  }

  /** Compares what the cluster shows with what was; `gone` is a pod that has just left. */
  #look(gone: Pod | undefined): void {
    if (this.#finished) return;
    const pods = this.#pods();
    for (const pod of pods) this.#events.known(pod.uid, this.#session.events.all());
    if (this.#uid === undefined) this.#choose(pods);
    const current = gone?.uid === this.#uid ? gone : pods.find(({ uid }) => uid === this.#uid);
    if (current !== undefined) this.#follow(current, pods, gone?.uid === this.#uid);
    if (this.#uid === undefined && !this.#stopping && this.#ending === undefined) {
      this.#wait.look(
        pods.find(({ deleting }) => !deleting),
        this.#control.seen()?.failure,
      );
    }
    this.#checkGone();
  }

  #choose(pods: readonly Pod[]): void {
    const living = pods
      .filter(({ deleting }) => !deleting)
      .toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
    const chosen =
      living.find(isReady) ??
      living.find(isRunning) ??
      living.find((pod) => endedSince(pod, this.#restarts) !== undefined || pod.phase === "Failed");
    if (chosen === undefined) return;
    this.#uid = chosen.uid;
    this.#wait.end();
    const neverRan = neverStarted(endedSince(chosen, this.#restarts));
    if (!neverRan) this.#readLog(chosen);
    if (!neverRan) this.#started.resolve();
  }

  #readLog(pod: Pod): void {
    const old = this.#log;
    this.#log = followLog(this.#session, pod, {
      // Of an engine that ran before, the end is enough.
      ...(this.adopted && old === undefined ? { tailLines: 200 } : {}),
      onLine: (line) => this.#lines.add(line),
      onNote: (words) => this.#note(words),
    });
    void old?.close();
  }

  /** What becomes of the pod that answers. */
  #follow(pod: Pod, pods: readonly Pod[], gone: boolean): void {
    const ended = endedSince(pod, this.#restarts);
    const failed = pod.phase === "Failed" && pod.reason !== "";
    if (ended === undefined && !gone && !pod.deleting && !failed) return;
    // The first word about how it ended is kept: a pod that leaves may say less than before.
    if (ended !== undefined) this.#ended ??= exitOf(ended);
    if (this.#stopping || this.#ending !== undefined) return;
    const next = pods.find((other) => other.uid !== pod.uid && isReady(other));
    if (next !== undefined) {
      this.#note(`the pod ${next.name} has taken over from ${pod.name}`);
      this.#ended = undefined;
      this.#uid = next.uid;
      this.#restarts = 0;
      this.#readLog(next);
      return;
    }
    this.#ending = this.#end(pod, ended, failed);
  }

  /** The unit's end: last words, then no replicas, then no pods. */
  async #end(pod: Pod, ended: Ended | undefined, failed: boolean): Promise<void> {
    const restarted =
      (pod.engine?.restartCount ?? 0) > this.#restarts && pod.engine?.state.terminated === undefined;
    if (neverStarted(ended)) {
      this.#fail(
        new OmniError(
          "engine.no-binary",
          `${this.service}: ${pod.image} cannot run its command: ${ended?.message ?? ""}`,
        ),
      );
    } else if (ended !== undefined) await this.#log?.finish(LAST_WORDS, restarted);
    const why = whyEnded(pod, ended, failed);
    if (why !== undefined) this.#lines.say(why);
    await this.#bringDown(1);
  }

  /** Scales down and ends what runs within `seconds`; a second call can only hurry. */
  async #bringDown(seconds: number): Promise<void> {
    this.#ending ??= Promise.resolve();
    this.#wait.end();
    this.#scaledAt = await this.#control.scaleDown();
    await Promise.all(this.#pods().map((pod) => this.#control.end(pod, seconds)));
    clearTimeout(this.#lost);
    if (!this.#finished && !this.#session.closing.signal.aborted) {
      this.#lost = setTimeout(
        () => void this.#forceLost(),
        Math.min(seconds * 1000 + NODE_LOST, 2 ** 31 - 1),
      );
    }
    this.#checkGone();
  }

  /** A kubelet that says nothing will not: the API is told to forget the pod, and the owner is told the risk. */
  async #forceLost(): Promise<void> {
    for (const pod of this.#pods()) {
      this.#note(
        `the node ${pod.node} does not say that the pod ${pod.name} has ended; it is taken off the cluster's books, and may still hold its cards there`,
      );
      await this.#control.end(pod, 0);
    }
  }

  #checkGone(): void {
    if (this.#finished || this.#scaledAt === undefined || this.#pods().length > 0) return;
    const workload = this.#control.seen();
    const replaced = workload !== undefined && workload.marks.unit !== this.id;
    if (workload !== undefined && !replaced && (workload.observedGeneration ?? Infinity) < this.#scaledAt)
      return;
    this.#finished = true;
    this.#forget();
    this.#started.reject(
      new OmniError("engine.not-started", `${this.service} was stopped before its engine ran.`),
    );
    void (this.#log?.finish(LAST_WORDS, false) ?? Promise.resolve()).then(() =>
      this.#exit.resolve(this.#ended ?? { code: null, signal: null }),
    );
  }

  #fail(error: OmniError): void {
    this.#started.reject(error);
    this.#lines.say(error.message);
  }

  #hear(words: string, warning: boolean): void {
    if (this.#stopping || this.#ending !== undefined) return;
    if (warning) this.#lines.say(words);
    if (this.#uid === undefined) this.#wait.tell(words);
  }

  #note(words: string): void {
    this.#lines.say(words);
    this.#session.options.onNote(`${this.service}: ${words}`);
  }

  #forget(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#wait.end();
    clearTimeout(this.#lost);
  }
}
