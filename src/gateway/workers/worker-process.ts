import cluster from "node:cluster";
import type { Worker } from "node:cluster";

import { Link } from "./link.ts";
import type { ToParent, ToWorker } from "./protocol.ts";

/** How a worker ended. */
export interface WorkerEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface WorkerProcessOptions {
  /** The file that the child runs. */
  readonly entry: string;
  readonly take: (messages: readonly ToParent[]) => void;
  readonly ended: (end: WorkerEnd) => void;
}

/**
 * Of the environment only what a Node program itself needs: the variables of the node may hold secrets, and what workers
 * need of those comes through the channel.
 */
const NEEDED =
  /^(?:PATH|HOME|LANG|LC_.*|TZ|TMPDIR|NODE_OPTIONS|NODE_EXTRA_CA_CERTS|NODE_V8_COVERAGE|SSL_CERT_(?:FILE|DIR)|UV_.*|NODE_COMPILE_CACHE)$/;

const isBatch = (message: unknown): message is readonly ToParent[] => Array.isArray(message);

/**
 * One child that shares the gateway's port. The listening socket is one for all (`SCHED_NONE`): the kernel gives each
 * connection to a worker that is free to take it, the parent sees none of them, and what waits to be accepted when a
 * worker dies is taken by the others. With `reusePort` it would be reset, and a second node could take the same port
 * unnoticed; with round robin the parent would hand over each connection, and the one on its way would hang.
 */
export class WorkerProcess {
  readonly #worker: Worker;
  readonly #link: Link<ToWorker>;

  constructor({ entry, take, ended }: WorkerProcessOptions) {
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    cluster.setupPrimary({
      exec: entry,
      args: [],
      // Settings hold maps and limits without end, which JSON would lose.
      serialization: "advanced",
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const unneeded = Object.keys(process.env).filter((name) => !NEEDED.test(name));
    this.#worker = cluster.fork(Object.fromEntries(unneeded.map((name) => [name, undefined])));
    this.#link = new Link(this.#worker.process);
    this.#worker.on("message", (message: unknown) => {
      if (isBatch(message)) take(message);
    });
    // A worker that died while a message was on its way: its end is told below.
    this.#worker.on("error", () => {});
    this.#worker.once("exit", (code: number | null, signal: string | null) => ended({ code, signal }));
  }

  get pid(): number {
    return this.#worker.process.pid ?? 0;
  }

  send(message: ToWorker): void {
    this.#link.send(message);
  }

  kill(): void {
    this.#worker.process.kill("SIGKILL");
  }
}
