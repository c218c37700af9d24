/** The thread in which changes of a spec are planned: a plan takes the processor for longer than a stream may wait. */
import { parentPort, workerData } from "node:worker_threads";
import { messageOf } from "../../../core/index.ts";
import { planTrials } from "./plan-trial.ts";
import type { Trial, TrialBase, Tried } from "./plan-trial.ts";

/** What became of a trial: what it came to, or what went wrong in the thread. */
export type FromTrialThread = { readonly tried: Tried } | { readonly failed: string };

function serve(port: NonNullable<typeof parentPort>, base: TrialBase): void {
  const attempt = planTrials(base);
  const say = (message: FromTrialThread): void => port.postMessage(message, []);
  port.on("message", (trial: Trial) => {
    attempt(trial).then(
      (tried) => say({ tried }),
      (thrown: unknown) => say({ failed: messageOf(thrown) }),
    );
  });
}

const base: TrialBase = workerData;
if (parentPort !== null) serve(parentPort, base);
