import { z } from "zod";
import type { ObjectStore, Stored } from "./object-store.ts";

/** Kinds whose pods are made here. */
const WORKLOADS: ReadonlySet<string> = new Set(["deployments", "statefulsets"]);

const SPEC = z.object({
  replicas: z.number().default(1),
  strategy: z.object({ type: z.string() }).default({ type: "RollingUpdate" }),
  template: z.object({
    metadata: z.object({ labels: z.record(z.string(), z.string()).default({}) }).prefault({}),
    spec: z.record(z.string(), z.unknown()),
  }),
});

/** What the controller manager does for workloads: one pod of the newest template, or none. */
export class Controllers {
  readonly #store: ObjectStore;
  readonly #end: (pod: Stored, grace: number) => void;
  readonly #unsubscribe: () => void;
  #made = 0;
  #scheduled = false;
  #closed = false;
  /** Pods cannot be made, for this reason: quota, admission. */
  refusal: string | undefined;

  constructor(store: ObjectStore, end: (pod: Stored, grace: number) => void) {
    this.#store = store;
    this.#end = end;
    this.#unsubscribe = store.subscribe(({ plural }) => {
      if ((WORKLOADS.has(plural) || plural === "jobs" || plural === "pods") && !this.#scheduled) {
        this.#scheduled = true;
        setImmediate(() => this.#reconcile());
      }
    });
  }

  close(): void {
    this.#closed = true;
    this.#unsubscribe();
  }

  #reconcile(): void {
    this.#scheduled = false;
    if (this.#closed) return;
    for (const plural of WORKLOADS)
      for (const workload of this.#store.list(plural)) this.#one(plural, workload);
    for (const job of this.#store.list("jobs")) this.#job(job);
    for (const pod of this.#store.list("pods")) {
      // A pod that nobody made but its owner's own hand is nobody's to collect.
      const { owner } = pod;
      if (typeof owner !== "string") continue;
      const [plural = "", name = ""] = owner.split("/");
      if (pod.metadata.deletionTimestamp === undefined && this.#store.get(plural, name) === undefined)
        this.#end(pod, 30);
    }
  }

  #one(plural: string, workload: Stored): void {
    const { replicas, template, strategy } = SPEC.parse(workload.spec);
    const owner = `${plural}/${workload.metadata.name}`;
    const pods = this.#store.list("pods").filter((pod) => pod["owner"] === owner);
    const revision = JSON.stringify(template);
    const current = pods.filter(
      (pod) => pod["revision"] === revision && pod.metadata.deletionTimestamp === undefined,
    );
    const old = pods.filter((pod) => !current.includes(pod));
    const wanted = Math.min(1, replicas);
    const rolling = strategy.type === "RollingUpdate";
    const ready = current.some((pod) => isReady(pod));
    for (const pod of [...current.slice(wanted), ...(wanted === 0 || !rolling || ready ? old : [])]) {
      if (pod.metadata.deletionTimestamp === undefined) this.#end(pod, graceOf(template.spec));
    }
    const room = rolling || old.length === 0;
    const make = current.length < wanted && room && this.refusal === undefined;
    if (make) this.#make(owner, workload, template, revision);
    const counts = {
      updatedReplicas: current.length,
      readyReplicas: ready ? 1 : 0,
      availableReplicas: ready ? 1 : 0,
    };
    this.#status(plural, workload, wanted > 0 && current.length === 0 ? this.refusal : undefined, counts);
  }

  /** One pod until it succeeds; further ones, up to the limit, where it may not be restarted in place. */
  #job(job: Stored): void {
    const { backoffLimit, suspend, template } = JOB.parse(job.spec);
    const owner = `jobs/${job.metadata.name}`;
    const phases = this.#store
      .list("pods")
      .filter((pod) => pod["owner"] === owner)
      .map(({ status }) => String(status?.["phase"]));
    const done = phases.includes("Succeeded");
    const failed = !done && phases.length > backoffLimit && phases.every((phase) => phase === "Failed");
    const active = phases.some((phase) => phase === "Pending" || phase === "Running");
    if (!done && !failed && !active && !suspend) {
      const labels = { ...template.metadata.labels, "job-name": job.metadata.name };
      this.#make(owner, job, { ...template, metadata: { labels } }, "job");
    }
    const type = done ? "Complete" : failed ? "Failed" : undefined;
    const conditions = type === undefined ? [] : [{ type, status: "True", message: "BackoffLimitExceeded" }];
    if (JSON.stringify({ conditions }) !== JSON.stringify(job.status))
      this.#store.put("jobs", { ...job, status: { conditions } });
  }

  #make(owner: string, workload: Stored, template: z.infer<typeof SPEC>["template"], revision: string): void {
    this.#made++;
    const { name, namespace } = workload.metadata;
    this.#store.put("pods", {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name: `${name}-${this.#made}`,
        namespace,
        uid: "",
        resourceVersion: "",
        generation: 0,
        creationTimestamp: "",
        labels: template.metadata.labels,
      },
      spec: structuredClone(template.spec),
      status: { phase: "Pending" },
      owner,
      revision,
    });
  }

  #status(
    plural: string,
    workload: Stored,
    refusal: string | undefined,
    counts: Readonly<Record<string, number>>,
  ): void {
    const conditions =
      refusal === undefined
        ? []
        : [{ type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: refusal }];
    const status = { observedGeneration: workload.metadata.generation, ...counts, conditions };
    if (JSON.stringify(status) !== JSON.stringify(workload.status))
      this.#store.put(plural, { ...workload, status });
  }
}

const JOB = z.object({
  backoffLimit: z.number().default(6),
  suspend: z.boolean().default(false),
  template: SPEC.shape.template,
});

const STATUS = z.object({ containerStatuses: z.array(z.object({ ready: z.boolean() })).default([]) });
const isReady = (pod: Stored): boolean =>
  STATUS.safeParse(pod.status).data?.containerStatuses.some(({ ready }) => ready) ?? false;

const GRACE = z.object({ terminationGracePeriodSeconds: z.number().default(30) });
const graceOf = (spec: unknown): number => GRACE.parse(spec).terminationGracePeriodSeconds;
