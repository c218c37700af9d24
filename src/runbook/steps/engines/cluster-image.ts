import { inspectImage, storedImage } from "../../../binaries/index.ts";
import {
  formatCudaArchitecture,
  messageOf,
  OmniError,
  parseComputeCapability,
  runsOn,
} from "../../../core/index.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Observation, Step, StepContext } from "../../step.ts";
import { absent } from "./pulled-image.ts";
import type { PulledImage } from "./pulled-image.ts";
import { registryOptions } from "./registry-options.ts";
import { withoutEngine } from "./without-engine.ts";

/**
 * `image/…`: an image that a cluster pulls by itself is in its registry. What it is compiled for is taken from what its
 * configuration says: its layers are the cluster's to fetch, and have tens of gigabytes.
 */
export function clusterImageStep(
  input: RunbookInput,
  id: string,
  { image, users, needs }: PulledImage,
): Step {
  const engine = users[0]?.planned.engine.name ?? "";
  return {
    id,
    phase: "engines",
    title: `${image} in its registry`,
    asked: `engines.${engine}`,
    needs,
    inputs: { image },
    timeout: 300_000,
    retries: { times: 2, delay: 30_000 },
    verify: (context) => observe(input, { image, users }, context),
    // A cluster pulls what is there; nothing here could put it there.
    apply: () => Promise.reject(absent(image)),
    preview: [`ask the registry for ${image}`],
    ...withoutEngine(engine, users),
  };
}

async function observe(
  { deployment }: RunbookInput,
  { image, users }: Pick<PulledImage, "image" | "users">,
  context: StepContext,
): Promise<Observation> {
  const options = registryOptions(deployment, image);
  try {
    const stored = await storedImage(image, options);
    if (stored === undefined) return { done: false, missing: `its registry has no ${image}` };
    if (stored.lost.length > 0)
      return { done: false, missing: `its registry has lost parts of ${image}: ${stored.lost.join(", ")}` };
    const { declared } = await inspectImage(image, options);
    const cards = [
      ...new Set(users.flatMap(({ cards: own }) => own.flatMap((card) => card.computeCapability ?? []))),
    ];
    const unserved = cards.filter((card) => {
      const capability = parseComputeCapability(card);
      return (
        declared !== undefined &&
        capability !== undefined &&
        !declared.some((architecture) => runsOn(architecture, capability))
      );
    });
    if (unserved.length > 0)
      context.note(
        `${image} says that it is compiled for ${(declared ?? []).map(formatCudaArchitecture).join(", ")}, and a card of ${unserved.join(", ")} is to run it: ./omni engines inspect ${image} --require ${unserved.join(" --require ")} reads what it really carries`,
      );
    return { done: true, evidence: [`${image} is ${stored.digest}, all ${stored.layers} layers there`] };
  } catch (thrown) {
    if (!(thrown instanceof OmniError) || thrown.code !== "image.unreachable") throw thrown;
    context.note(`${image} was not looked at from here: ${messageOf(thrown)}`);
    return { done: true, evidence: [`left to the cluster: ${messageOf(thrown)}`] };
  }
}
