import { Worker } from "node:worker_threads";
import { messageOf, OmniError, siblingProgram } from "../../../core/index.ts";
import type { FromTrialThread } from "./plan-trial-thread.ts";
import type { Trial, TrialBase, Tried } from "./plan-trial.ts";

/** Milliseconds after which a trial is given up: real ones take less than one second. */
const PATIENCE = 30_000;
/** Milliseconds that an idle thread is kept: whoever plans tries several things. */
const IDLE = 60_000;
/** MiB that a trial may take. */
const MEMORY = 1024;

/** Plans changes of the running spec beside the node. */
export interface PlanTrials {
  /** Rejects with OmniError `plan.trial` where it takes too long or the thread ends. One at a time. */
  attempt(trial: Trial): Promise<Tried>;
  /** Another spec is in force: the next trial starts from it. */
  restart(): void;
  close(): void;
}

/** The thread is started with the first trial, and ends when nobody tries anything for a minute. */
export function openPlanTrials(base: () => TrialBase): PlanTrials {
  let worker: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  const end = (): void => {
    clearTimeout(idle);
    void worker?.terminate();
    worker = undefined;
  };
  return {
    async attempt(trial) {
      clearTimeout(idle);
      worker ??= new Worker(siblingProgram(import.meta.url, "./plan-trial-thread"), {
        workerData: base(),
        resourceLimits: { maxOldGenerationSizeMb: MEMORY },
      });
      try {
        const tried = await answerOf(worker, trial);
        idle = setTimeout(end, IDLE).unref();
        return tried;
      } catch (thrown) {
        end();
        throw thrown;
      }
    },
    restart: end,
    close: end,
  };
}

function answerOf(worker: Worker, trial: Trial): Promise<Tried> {
  const { promise, resolve, reject } = Promise.withResolvers<Tried>();
  const gone = (why: string): void => reject(new OmniError("plan.trial", `The trial was given up: ${why}.`));
  const timer = setTimeout(() => gone(`it took longer than ${PATIENCE / 1000} s`), PATIENCE);
  const failed = (thrown: unknown): void => gone(messageOf(thrown));
  const exited = (): void => gone("its thread ended");
  const answered = (message: FromTrialThread): void => {
    if ("tried" in message) resolve(message.tried);
    else gone(message.failed);
  };
  worker.once("message", answered);
  worker.once("error", failed);
  worker.once("exit", exited);
  worker.postMessage(trial, []);
  return promise.finally(() => {
    clearTimeout(timer);
    worker.off("message", answered);
    worker.off("error", failed);
    worker.off("exit", exited);
  });
}
