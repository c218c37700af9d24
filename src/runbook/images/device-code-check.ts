import { matchesGlob } from "node:path";
import { checkRequirements } from "../../binaries/index.ts";
import type { CheckedBinary } from "../../binaries/index.ts";
import { findGpu } from "../../catalog/index.ts";
import {
  formatCudaArchitecture,
  meetsCudaRequirement,
  OmniError,
  parseCudaRequirement,
} from "../../core/index.ts";
import type { CudaRequirement } from "../../core/index.ts";
import type { Deployment, ImageBuild } from "../../deployment/index.ts";
import { architectureChecks, checkedLibraries } from "../../render/images/verification.ts";

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

/**
 * Judges an image that somebody else has built: what an engine cannot run without has to start on the cards. Of an engine
 * whose libraries are not known, something in the image has to. Throws `OmniError` `binary.lacks-architecture`.
 */
export function checkPulledCode(
  image: string,
  kind: string,
  cards: readonly string[],
  binaries: readonly CheckedBinary[],
): readonly string[] {
  const carrying = binaries.filter(({ containers }) => containers > 0);
  return cards.flatMap((card) => {
    const requirement = requirementOf(card);
    const known = checkedLibraries(kind, [card]);
    if (known.length > 0) {
      const seen = carrying.filter(({ path }) => known.some((glob) => matchesGlob(path, glob)));
      checkRequirements(`${image}, ${known.join(" or ")}`, seen, [requirement]);
      return seen.map(({ path }) => `${path} starts on ${card}`);
    }
    const fit = carrying.filter(({ architectures }) => meetsCudaRequirement(architectures, requirement));
    if (fit.length > 0)
      return [`${fit.length} of ${carrying.length} libraries with CUDA code start on ${card}`];
    throw new OmniError(
      "binary.lacks-architecture",
      `None of the ${carrying.length} libraries with CUDA code in ${image} starts on a card of ${card}.`,
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
