import type { Health } from "../engine.ts";
import { saying } from "../probes/answer-fault.ts";

/** Health where the engine does not say that it is ready: what it said instead. */
export const notReady = (path: string, status: number, body: string): Health => ({
  state: "unreachable",
  reason: `GET ${path} answered ${status}${saying(body)}`,
});

/** Engines that answer 200 when they can serve and listen only then, or answer otherwise without a reason. */
export const readyBy200 =
  (path: string) =>
  (status: number, body: string): Health =>
    status === 200 ? { state: "ready" } : notReady(path, status, body);
