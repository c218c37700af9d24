import { health } from "../../../acceptance/index.ts";
import type { AcceptanceClient } from "../../../acceptance/index.ts";
import { messageOf } from "../../../core/index.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Observation, Step, StepContext } from "../../step.ts";
import { withGateway } from "./gateway-place.ts";
import { keepResult, keptResult } from "./kept-result.ts";

/** Milliseconds for the gateway to say that it is ready, when a kept measurement is looked at. */
const GLANCE = 15_000;

export interface Measuring extends Pick<Step, "id" | "title" | "asked" | "needs" | "timeout" | "preview"> {
  /** Beside the deployment's own, what the measurement follows from. */
  readonly inputs: unknown;
  /** Measures and tells what was seen, a line each. Throws where it is not as it should be. */
  readonly measure: (client: AcceptanceClient, context: StepContext) => Promise<readonly string[]>;
}

/**
 * A step whose work is a measurement: done where it was measured with the same inputs and the gateway is well; repeated
 * otherwise.
 */
export function measuringStep(input: RunbookInput, measuring: Measuring): Step {
  const { measure, ...step } = measuring;
  const kept = { workFolder: input.workFolder, id: step.id, inputs: step.inputs };
  return {
    ...step,
    phase: "acceptance",
    verify: async (context): Promise<Observation> => {
      const result = await keptResult(context, kept);
      if (result === undefined) return { done: false, missing: `${step.title}: not measured yet` };
      const ill = await whyIll(input, context);
      if (ill !== undefined) return { done: false, missing: `measured before, but ${ill}` };
      const day = new Date(result.time).toISOString().slice(0, 16).replace("T", " ");
      return { done: true, evidence: [...result.evidence, `measured ${day} UTC`] };
    },
    apply: async (context) => {
      const evidence = await withGateway(input, context, (client) => measure(client, context));
      await keepResult(context, kept, evidence);
    },
  };
}

/** Why the gateway is not well now; nothing where it is. */
async function whyIll(input: RunbookInput, context: StepContext): Promise<string | undefined> {
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(GLANCE)]);
  try {
    const { ready, said } = await withGateway(input, context, (client) => health(client, signal));
    return ready ? undefined : `the gateway is not ready now (${said})`;
  } catch (thrown) {
    context.signal.throwIfAborted();
    return `the gateway does not answer now: ${messageOf(thrown)}`;
  }
}
