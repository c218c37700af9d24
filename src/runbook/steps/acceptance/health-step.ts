import { setTimeout as sleep } from "node:timers/promises";
import { health } from "../../../acceptance/index.ts";
import type { AcceptanceClient, Health } from "../../../acceptance/index.ts";
import { messageOf, OmniError } from "../../../core/index.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Observation, Step, StepContext } from "../../step.ts";
import { gatewaySpec, gatewayUrl, withGateway } from "./gateway-place.ts";

const POLL = 1000;
const GLANCE = 15_000;
/** Milliseconds beyond the longest load: the gateway itself has to come up too. */
const BEYOND = 120_000;

/** States of a service that is as it should be although it does not answer now: it takes turns. */
const RESTING: ReadonlySet<string> = new Set(["unloaded", "asleep", "stopped"]);

/** The gateway and every service that was deployed answer. It looks at the world each time, and keeps nothing. */
export function healthStep(input: RunbookInput): Step {
  const { deployment } = input;
  const started = deployment.services.filter(({ refused }) => refused === undefined);
  const patience = Math.max(0, ...started.map(({ loadTimeout }) => loadTimeout)) + BEYOND;
  return {
    id: "health",
    phase: "acceptance",
    title: `${deployment.name} answers: the gateway and ${started.length} services`,
    asked: "runbook.acceptance",
    needs: ["gateway", ...started.map(({ name }) => `service/${name}`)],
    inputs: { gateway: gatewaySpec(deployment), services: started.map(({ name }) => name) },
    timeout: patience + BEYOND,
    preview: ["GET /readyz and /api/status of the gateway, until every service is ready"],
    verify: (context) => observe(input, context),
    apply: async (context) => {
      const until = Date.now() + patience;
      for (;;) {
        const seen = await observe(input, context);
        if (seen.done) return;
        context.progress({ done: 0, unit: "steps", text: seen.missing });
        if (Date.now() > until)
          throw new OmniError("acceptance.failed", `Not all of ${deployment.name} answers: ${seen.missing}`);
        await sleep(POLL, undefined, { signal: context.signal });
      }
    },
  };
}

async function observe(input: RunbookInput, context: StepContext): Promise<Observation> {
  const url = gatewayUrl(input.deployment);
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(GLANCE)]);
  const ask = (client: AcceptanceClient): Promise<Health> => health(client, signal);
  try {
    return judged(input, url, await withGateway(input, context, ask));
  } catch (thrown) {
    context.signal.throwIfAborted();
    // A key that is not set or not taken does not get better by waiting.
    if (thrown instanceof OmniError && thrown.code !== "acceptance.no-server") throw thrown;
    return { done: false, missing: `${url}: ${messageOf(thrown)}` };
  }
}

function judged({ deployment }: RunbookInput, url: string, { ready, said, services }: Health): Observation {
  const seen = new Map(services.map((service) => [service.name, service]));
  const lacking = deployment.services
    .filter(({ refused }) => refused === undefined)
    .flatMap(({ name, turns }) => {
      const service = seen.get(name);
      if (service === undefined) return [`${name} is not known to the gateway`];
      if (service.state === "ready" || (turns !== undefined && RESTING.has(service.state))) return [];
      return [`${name} is ${service.state}${service.reason === undefined ? "" : `: ${service.reason}`}`];
    });
  if (!ready || lacking.length > 0)
    return { done: false, missing: [...(ready ? [] : [`${url}${said}`]), ...lacking].join("; ") };
  return {
    done: true,
    evidence: [
      `${url}: ${said}`,
      ...services.map(({ name, state, engine }) => `${name} (${engine}): ${state}`),
    ],
  };
}
