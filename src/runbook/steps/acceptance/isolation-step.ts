import { judgeIsolation } from "../../../acceptance/index.ts";
import type { IsolationVerdict } from "../../../acceptance/index.ts";
import { messageOf, OmniError } from "../../../core/index.ts";
import type { DeployedService, Deployment } from "../../../deployment/index.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Step, StepContext } from "../../step.ts";
import { clusterProbe } from "./cluster-probe.ts";
import { containerProbe } from "./container-probe.ts";
import { measuringStep } from "./measuring-step.ts";
import type { Probed } from "./probed.ts";

/** A probe within the network of each service that the spec keeps in. */
export const isolationSteps = (input: RunbookInput): readonly Step[] =>
  input.deployment.services
    .filter((service) => service.refused === undefined && isKeptIn(service, input.deployment))
    .map((service) => isolationStep(input, service));

const isKeptIn = (service: DeployedService, { networks }: Deployment): boolean =>
  networks.some(
    ({ name, internal, isolation }) => service.networks.includes(name) && (internal || isolation !== "none"),
  );

function isolationStep(input: RunbookInput, service: DeployedService): Step {
  const { name, networks } = service;
  const attached = input.deployment.networks.filter((network) => networks.includes(network.name));
  return measuringStep(input, {
    id: `isolation/${name}`,
    title: `${name} reaches nobody outside its networks`,
    asked: `networks.${attached[0]?.name ?? ""}.isolation`,
    needs: ["health"],
    inputs: { name, runtime: service.runtime, attached },
    timeout: 5 * 60_000,
    preview: [`try to connect from within the network of ${name} to the outside and to its node`],
    measure: async (_, context) => {
      const verdict = await verdictOf(input, service, context);
      if (verdict.state === "broken")
        throw new OmniError("acceptance.failed", `${name} is not isolated: ${verdict.lines.join("; ")}`, {
          hint: "Look at the networks that it is on; ./omni check names what keeps none in.",
        });
      if (verdict.state === "proven") return [`proven: ${name} is kept in`, ...verdict.lines];
      context.note(`The isolation of ${name} is not proven.`);
      return [`NOT PROVEN that ${name} is kept in`, ...verdict.lines];
    },
  });
}

async function verdictOf(
  input: RunbookInput,
  service: DeployedService,
  context: StepContext,
): Promise<IsolationVerdict> {
  const probed = await probe(input, service, context).catch((thrown: unknown) => {
    context.signal.throwIfAborted();
    return messageOf(thrown);
  });
  if (typeof probed === "string") return { state: "unproven", lines: [probed] };
  return judgeIsolation(probed.targets, probed.inside, probed.control);
}

/** What a probe saw, or why there was none. */
function probe(
  input: RunbookInput,
  service: DeployedService,
  context: StepContext,
): Promise<Probed | string> {
  switch (service.runtime) {
    case "docker":
      return containerProbe(input, service, context);
    case "kubernetes":
      return clusterProbe(input, service, context);
    case "process":
      return Promise.resolve("It is a process of its machine and has the machine's own network.");
  }
}
