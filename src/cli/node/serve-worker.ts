import cluster from "node:cluster";

import { messageOf } from "../../core/index.ts";
import type { ToWorker } from "../../gateway/workers/protocol.ts";
import type { PastEvents } from "../../gateway/workers/remote-events.ts";
import type { Answer } from "../../gateway/workers/named-answer.ts";
import { WorkerSide } from "../../gateway/workers/worker-side.ts";

/** What a worker made of its settings: something that listens and can be ended. */
export interface WorkerGateway {
  listen(): Promise<{ readonly url: string }>;
  /** Lets answers finish for at most `deadline` ms. */
  close(deadline: number): Promise<void>;
  /** The settings have changed. */
  configure?(settings: unknown): void;
  /** What the parent's `collect` reaches, by name. */
  readonly answers?: Readonly<Record<string, Answer>>;
}

export interface ServeWorkerOptions {
  /** Makes the gateway of what the parent sent; the parts lead to the parent. */
  readonly compose: (side: WorkerSide, settings: unknown) => WorkerGateway | Promise<WorkerGateway>;
  /** Where events before those of this process are read, by the settings. */
  readonly past?: PastEvents;
  /** Milliseconds that answers may take yet when the parent is gone. */
  readonly orphanTime: () => number;
}

/** Last words are on their way for at most so long, ms. */
const LAST_WORDS = 500;

const isBatch = (message: unknown): message is readonly ToWorker[] => Array.isArray(message);

/**
 * The life of a worker process: waits for its settings, serves, and ends when the parent says so or is gone. Signals are
 * the parent's to answer: a terminal sends them to all processes of its group.
 */
export function serveWorker({ compose, past, orphanTime }: ServeWorkerOptions): void {
  let gateway: WorkerGateway | undefined;
  let ending = false;
  const answers: Record<string, Answer> = {};

  const side = new WorkerSide(process, {
    ...(past === undefined ? {} : { past }),
    answers,
    onSettings: (settings, first) => {
      if (first) void begin(settings);
      else change(settings);
    },
    onDrain: (deadline) => void end(deadline ?? orphanTime()),
  });

  const change = (settings: unknown): void => {
    try {
      gateway?.configure?.(settings);
    } catch (thrown) {
      side.events.record({
        kind: "gateway.worker-unchanged",
        severity: "warning",
        message: `Process ${process.pid} of the gateway goes on as it was: ${messageOf(thrown)}`,
      });
    }
  };

  const begin = async (settings: unknown): Promise<void> => {
    try {
      gateway = await compose(side, settings);
      Object.assign(answers, gateway.answers);
      const { url } = await gateway.listen();
      side.listening(url);
    } catch (thrown) {
      side.failed(thrown);
      leave(1);
    }
  };

  const end = async (deadline: number): Promise<void> => {
    side.drain();
    // A second call hurries the first.
    const closed = gateway?.close(deadline);
    if (ending) return;
    ending = true;
    await closed;
    await Promise.race([side.keys.close(), new Promise((resolve) => setTimeout(resolve, LAST_WORDS))]);
    leave(0);
  };

  /** Ends the process once everything said is on its way. */
  const leave = (code: number): void => {
    const exit = (): never => process.exit(code);
    side.flush();
    if (process.connected) process.send?.([], exit);
    setTimeout(exit, LAST_WORDS);
  };

  process.on("message", (message: unknown) => {
    if (isBatch(message)) side.take(message);
  });
  // Node ends a worker at once when its parent is gone, unless it seems to go of its own accord: answers may finish first.
  if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
  process.once("disconnect", () => side.orphaned());
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
}
