import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { constants } from "node:os";
import { z } from "zod";
import { killGroup, killMarked, UNIT_MARK } from "../../../src/runtimes/process-identity.ts";
import type { Stored } from "./object-store.ts";
import { ContainerLog } from "./container-log.ts";
import { isWell, PROBE } from "./readiness.ts";
import { MOUNTS, PodFolders, VOLUMES } from "./pod-folders.ts";

const SPEC = z.object({
  restartPolicy: z.enum(["Always", "OnFailure", "Never"]).default("Always"),
  volumes: VOLUMES,
  containers: z
    .array(
      z.object({
        name: z.string(),
        image: z.string().default("engine:1"),
        command: z.array(z.string()).default([]),
        args: z.array(z.string()).default([]),
        env: z
          .array(
            z.object({ name: z.string(), value: z.string().optional(), valueFrom: z.unknown().optional() }),
          )
          .default([]),
        volumeMounts: MOUNTS,
        readinessProbe: PROBE,
        ports: z.array(z.object({ name: z.string().optional(), containerPort: z.number() })).default([]),
        resources: z
          .object({ limits: z.record(z.string(), z.union([z.string(), z.number()])).default({}) })
          .prefault({}),
      }),
    )
    .min(1),
});
type Container = z.infer<typeof SPEC>["containers"][number];

/** Where a kubelet finds its pods and says how they are. */
export interface PodBoard {
  setStatus(pod: Stored, status: Record<string, unknown>, node: string): void;
  /** The pod's containers have ended: the API may forget it. */
  remove(pod: Stored): void;
  event(pod: Stored, type: "Normal" | "Warning", reason: string, message: string): void;
  /** An object of the pod's namespace. */
  object(plural: string, name: string): Stored | undefined;
}

interface Running {
  pod: Stored;
  readonly container: Container;
  readonly restartPolicy: z.infer<typeof SPEC>["restartPolicy"];
  readonly folders: PodFolders;
  readonly ip: string;
  readonly mark: string;
  child: ChildProcess | undefined;
  restarts: number;
  last: Record<string, unknown>;
  log: ContainerLog;
  previous: ContainerLog | undefined;
  grace: NodeJS.Timeout | undefined;
  retry: NodeJS.Timeout | undefined;
  deleting: boolean;
  lastState: Record<string, unknown>;
  /** Of the pod as a whole, such as an eviction. */
  failed: Record<string, unknown> | undefined;
}

/** Addresses of pods, one each: the whole of 127.0.0.0/8 is this machine on Linux. */
let addresses = 0;

/**
 * A kubelet that runs a container's command as a process of this machine, at an address of its own. What a test wants
 * otherwise is in the image's name: `missing:1` is not found, `slow:1` takes until `finishPull`; and cards are none.
 */
export class FakeKubelet {
  readonly #board: PodBoard;
  readonly #pods = new Map<string, Running>();
  readonly #pulling = new Map<string, () => void>();
  /** Cards that pods can have. */
  cards = 0;
  /** Names of Secrets that exist. */
  readonly secrets = new Set<string>();
  /** Does nothing that it is asked for any more, as on a node that was lost. */
  lost = false;
  /** What images start where a container names no command, by the image's reference. */
  readonly entrypoints = new Map<string, readonly string[]>();
  /** Programs of images that are elsewhere on this machine, by their path in the image. */
  readonly programs = new Map<string, string>();
  /** Milliseconds before an ended container is started again. */
  restartDelay = 1000;

  constructor(board: PodBoard) {
    this.#board = board;
  }

  /** Takes a new pod. */
  add(pod: Stored): void {
    const { containers, restartPolicy, volumes } = SPEC.parse(pod.spec);
    const container = containers[0];
    if (container === undefined || this.#pods.has(pod.metadata.uid)) return;
    addresses++;
    const running: Running = {
      pod,
      container,
      restartPolicy,
      folders: new PodFolders(volumes, container.volumeMounts, (plural, name) =>
        this.#board.object(plural, name),
      ),
      ip: `127.${10 + (process.pid % 200)}.${Math.floor(addresses / 250) % 250}.${(addresses % 250) + 1}`,
      mark: randomUUID(),
      child: undefined,
      restarts: 0,
      last: {},
      log: new ContainerLog(),
      previous: undefined,
      grace: undefined,
      retry: undefined,
      deleting: false,
      lastState: {},
      failed: undefined,
    };
    this.#pods.set(pod.metadata.uid, running);
    const wanted = Number(container.resources.limits["nvidia.com/gpu"] ?? 0);
    if (wanted > this.cards) this.#unschedulable(running, wanted);
    else this.#prepare(running);
  }

  /** Ends a pod within `grace` seconds; a shorter grace replaces a longer one. */
  end(uid: string, grace: number): void {
    const running = this.#pods.get(uid);
    if (running === undefined || this.lost) return;
    running.deleting = true;
    clearTimeout(running.retry);
    clearTimeout(running.grace);
    if (running.child === undefined) {
      this.#remove(running);
      return;
    }
    running.child.kill("SIGTERM");
    running.grace = setTimeout(() => killGroup(running.child?.pid ?? 0), grace * 1000);
  }

  finishPull(image: string): void {
    this.#pulling.get(image)?.();
  }

  logOf(name: string, previous: boolean): ContainerLog | undefined {
    const running = this.#byName(name);
    return previous ? running?.previous : running?.log;
  }

  /** Whether the container of a pod has been started at least once. */
  started(name: string): boolean {
    const running = this.#byName(name);
    return (
      running !== undefined && (running.child !== undefined || running.restarts > 0 || running.log.closed)
    );
  }

  addressOf(name: string): string | undefined {
    return this.#byName(name)?.ip;
  }

  pidOf(name: string): number | undefined {
    return this.#byName(name)?.child?.pid;
  }

  /** Ends a container as the kernel does when it reaches its limit. */
  outOfMemory(name: string): void {
    const running = this.#byName(name);
    if (running?.child === undefined) return;
    running.last = { reason: "OOMKilled" };
    killGroup(running.child.pid ?? 0);
  }

  /** Evicts a pod: its containers end, and the pod stays as a failed one. */
  evict(name: string, message: string): void {
    const running = this.#byName(name);
    if (running === undefined) return;
    running.failed = { phase: "Failed", reason: "Evicted", message };
    clearTimeout(running.retry);
    killGroup(running.child?.pid ?? 0);
  }

  async close(): Promise<void> {
    await Promise.all(
      [...this.#pods.values()].map(async (running) => {
        clearTimeout(running.grace);
        clearTimeout(running.retry);
        running.deleting = true;
        running.folders.close();
        const { child } = running;
        if (child === undefined) return;
        const gone = new Promise((resolve) => child.once("exit", resolve));
        killGroup(child.pid ?? 0);
        await gone;
      }),
    );
    this.#pods.clear();
  }

  #byName(name: string): Running | undefined {
    return [...this.#pods.values()].find(({ pod }) => pod.metadata.name === name);
  }

  #unschedulable(running: Running, wanted: number): void {
    const message = `0/1 nodes are available: 1 Insufficient nvidia.com/gpu (${wanted} wanted, ${this.cards} there).`;
    this.#board.setStatus(
      running.pod,
      {
        phase: "Pending",
        conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message }],
      },
      "",
    );
    this.#board.event(running.pod, "Warning", "FailedScheduling", message);
  }

  #prepare(running: Running): void {
    const { image, env } = running.container;
    const missing = env
      .map(({ valueFrom }) => SECRET.safeParse(valueFrom).data?.secretKeyRef.name)
      .find(
        (name) =>
          name !== undefined && !this.secrets.has(name) && this.#board.object("secrets", name) === undefined,
      );
    if (missing !== undefined) {
      this.#wait(running, "CreateContainerConfigError", `secret "${missing}" not found`);
      return;
    }
    if (image.startsWith("missing")) {
      const words = `failed to pull and unpack image "${image}": failed to resolve reference: ${image}: not found`;
      this.#wait(running, "ErrImagePull", words);
      this.#board.event(running.pod, "Warning", "Failed", words);
      return;
    }
    this.#wait(running, "ContainerCreating", "");
    if (!image.startsWith("slow")) {
      this.#run(running);
      return;
    }
    this.#board.event(running.pod, "Normal", "Pulling", `Pulling image "${image}"`);
    this.#pulling.set(image, () => this.#run(running));
  }

  #wait(running: Running, reason: string, message: string): void {
    this.#status(running, { waiting: { reason, message } }, false);
  }

  #run(running: Running): void {
    if (running.deleting) return;
    const { container, ip, mark } = running;
    const env: Record<string, string> = { PATH: process.env["PATH"] ?? "", POD_IP: ip };
    const { folders } = running;
    for (const { name, value, valueFrom } of container.env) {
      const given = value === undefined ? this.#secretValue(valueFrom) : folders.outside(value);
      if (given !== undefined) env[name] = given;
    }
    const start = container.command.length > 0 ? container.command : this.entrypoints.get(container.image);
    const [program = "", ...words] = [...(start ?? []), ...container.args].map((word) =>
      folders.outside(
        this.programs.get(word) ??
          word.replaceAll(/\$\((\w+)\)/g, (whole, name: string) => env[name] ?? whole),
      ),
    );
    const child = spawn(program, words, {
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
      env: { ...env, [UNIT_MARK]: mark },
    });
    child.on("error", (error) => {
      const message = `exec: "${program}": executable file not found in $PATH (${error.message})`;
      this.#ended(running, { exitCode: 128, reason: "StartError", message });
    });
    if (child.pid === undefined) return;
    running.child = child;
    child.stdout.on("data", (chunk: Buffer) => running.log.write(chunk));
    child.stderr.on("data", (chunk: Buffer) => running.log.write(chunk));
    child.once("close", (code, signal) => {
      const number = signal === null ? 0 : constants.signals[signal];
      this.#ended(running, { exitCode: code ?? 128 + number, reason: code === 0 ? "Completed" : "Error" });
    });
    child.once("exit", () => {
      killGroup(child.pid ?? 0);
      killMarked(mark);
    });
    const state = { running: { startedAt: new Date().toISOString() } };
    const { readinessProbe: probe } = container;
    this.#status(running, state, probe?.httpGet === undefined);
    if (probe?.httpGet !== undefined) this.#awaitReady(running, child, state, probe.httpGet);
  }

  /** Asks as a kubelet does, until the container answers or has ended. */
  #awaitReady(
    running: Running,
    child: ChildProcess,
    state: Record<string, unknown>,
    asked: NonNullable<NonNullable<Container["readinessProbe"]>["httpGet"]>,
  ): void {
    const { container, ip } = running;
    const port = container.ports.find(({ name }) => name === asked.port)?.containerPort ?? Number(asked.port);
    const again = async (): Promise<void> => {
      if (running.child !== child) return;
      const well = await isWell(`http://${ip}:${port}${asked.path}`);
      if (running.child !== child) return;
      if (well) this.#status(running, state, true);
      else setTimeout(() => void again(), 100);
    };
    void again();
  }

  #secretValue(from: unknown): string | undefined {
    const reference = SECRET.safeParse(from).data?.secretKeyRef;
    if (reference === undefined) return undefined;
    const data = DATA.safeParse(this.#board.object("secrets", reference.name)).data?.data ?? {};
    const value = data[reference.key];
    return value === undefined ? undefined : Buffer.from(value, "base64").toString();
  }

  #ended(running: Running, how: Record<string, unknown>): void {
    running.child = undefined;
    const terminated = { ...how, ...running.last, finishedAt: new Date().toISOString() };
    running.log.close();
    const ended =
      running.restartPolicy === "Never" || (running.restartPolicy === "OnFailure" && how["exitCode"] === 0);
    if (ended) running.failed ??= { phase: how["exitCode"] === 0 ? "Succeeded" : "Failed" };
    this.#status(running, { terminated }, false);
    if (running.deleting) {
      this.#remove(running);
      return;
    }
    if (running.failed !== undefined) return;
    // Kubernetes starts an ended container again by itself.
    running.retry = setTimeout(() => {
      running.previous = running.log;
      running.log = new ContainerLog();
      running.restarts++;
      running.last = {};
      running.lastState = { terminated };
      this.#run(running);
    }, this.restartDelay);
  }

  #remove(running: Running): void {
    clearTimeout(running.grace);
    running.folders.close();
    this.#pods.delete(running.pod.metadata.uid);
    this.#board.remove(running.pod);
  }

  #status(running: Running, state: Record<string, unknown>, ready: boolean): void {
    const { container, restarts, ip, lastState } = running;
    const status = {
      phase: "waiting" in state ? "Pending" : "Running",
      ...running.failed,
      podIP: ip,
      conditions: [{ type: "PodScheduled", status: "True" }],
      containerStatuses: [
        { name: container.name, image: container.image, ready, restartCount: restarts, state, lastState },
      ],
    };
    this.#board.setStatus(running.pod, status, "node-0");
  }
}

const SECRET = z.object({ secretKeyRef: z.object({ name: z.string(), key: z.string().default("") }) });
const DATA = z.object({ data: z.record(z.string(), z.string()).default({}) });
