import { matchesGlob } from "node:path";
import { checkRequirements } from "../../binaries/index.ts";
import type { CheckedBinary } from "../../binaries/index.ts";
import { findGpu } from "../../catalog/index.ts";
import { formatCudaArchitecture, OmniError, parseCudaRequirement } from "../../core/index.ts";
import type { CudaRequirement } from "../../core/index.ts";
import type { Deployment, ImageBuild } from "../../deployment/index.ts";
import { architectureChecks } from "../../render/images/verification.ts";

/** Compute capabilities of the cards that services with this engine or image run on, each once. */
export const cardsOf = (
  { services }: Deployment,
  { name, tag }: Pick<ImageBuild, "name" | "tag">,
): readonly string[] => [
  ...new Set(
    services
      .filter(
        ({ image, planned, refused }) =>
          refused === undefined && (image === tag || planned.engine.name === name),
      )
      .flatMap(({ cards }) =>
        cards.flatMap((card) => card.computeCapability ?? findGpu(card.model)?.computeCapability ?? []),
      ),
  ),
];

/**
 * Judges the binaries of an image by what the spec compiles for and by the cards that will run it, and answers lines of
 * evidence. An image for processors alone is told and not refused where no card needs it. Throws `OmniError`
 * `binary.lacks-architecture`.
 */
export function checkDeviceCode(
  build: ImageBuild,
  cards: readonly string[],
  binaries: readonly CheckedBinary[],
): readonly string[] {
  const carrying = binaries.filter(({ containers }) => containers > 0);
  const wanted = architectureChecks(build);
  if (carrying.length === 0 && cards.length === 0)
    return ["it carries no CUDA code: an image for processors"];
  const checks = wanted.length === 0 && cards.length > 0 ? [{ only: [], required: [] }] : wanted;
  return checks.flatMap(({ only, required }) => {
    const seen = carrying.filter(
      ({ path }) => only.length === 0 || only.some((glob) => matchesGlob(path, glob)),
    );
    const here = only.length === 0 ? build.tag : `${build.tag}, ${only.join(" or ")}`;
    // A library of one card's own, such as sgl-kernel's for Hopper, is not asked for another card.
    const ofAllCards = only.every((glob) => !/\/sm\d+\//.test(glob));
    checkRequirements(here, seen, [...required, ...(ofAllCards ? cards : [])].map(requirementOf));
    return seen.map(
      ({ path, architectures }) => `${path} carries ${architectures.map(formatCudaArchitecture).join(", ")}`,
    );
  });
}

function requirementOf(text: string): CudaRequirement {
  const requirement = parseCudaRequirement(text);
  if (requirement !== undefined) return requirement;
  throw new OmniError(
    "binary.lacks-architecture",
    `Nobody can tell whether code for ${JSON.stringify(text)} is there.`,
    {
      hint: "Write a compute capability: 12.0.",
    },
  );
}
