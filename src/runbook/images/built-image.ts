import { basename } from "node:path";
import { checkDeviceCode, cardsOf } from "./device-code-check.ts";
import { formatBytes, OmniError } from "../../core/index.ts";
import { scanLayer, storedImage } from "../../binaries/index.ts";
import { readerImage } from "../../render/images/verification.ts";
import type { Observation, StepContext } from "../step.ts";
import { buildImage } from "./build-image.ts";
import { chooseRecipe } from "./build-recipe.ts";
import type { BuildRecipe, ImageJob } from "./build-recipe.ts";
import { buildSpace, fileSystemOf, requireSpace } from "./build-space.ts";
import { exportedFiles } from "./exported-files.ts";
import { ANY_STATUS, builderOf, hasBuildKit, localImage, storageRoot } from "./image-builder.ts";
import type { BuilderPlace, LocalImage } from "./image-builder.ts";
import { pushImage } from "./push-image.ts";
import { INPUTS_LABEL, registryProof } from "./registry-proof.ts";

const TAGGING = 60_000;

/** Looks for the image of a job: in the registry that it is pushed to, else in the builder. Throws `OmniError`. */
export async function observeImage(job: ImageJob, context: StepContext): Promise<Observation> {
  const { build } = job;
  const place = await builderOf(context, build);
  const { hash } = await chooseRecipe(job, place);
  const local = await localImage(place, build.tag);
  const own = isFrom(local, hash) ? local : undefined;
  if (build.push !== undefined) return await registryProof(build, hash, own);
  if (own !== undefined)
    return { done: true, evidence: [`${place.program} on ${place.host.name} has ${build.tag}: ${own.id}`] };
  return {
    done: false,
    missing:
      local === undefined
        ? `${place.program} on ${place.host.name} has no ${build.tag}`
        : `${build.tag} on ${place.host.name} was built from another recipe`,
  };
}

const isFrom = (image: LocalImage | undefined, hash: string): boolean => image?.labels[INPUTS_LABEL] === hash;

/** What a build would fail on after an hour: disk, and Omni's image, which recipes of Omni's read their result with. */
export async function precheckImage(job: ImageJob, context: StepContext): Promise<void> {
  const place = await builderOf(context, job.build);
  const recipe = await chooseRecipe(job, place);
  if (isFrom(await localImage(place, job.build.tag), recipe.hash)) return;
  const root = await storageRoot(place);
  const disk = root === undefined ? undefined : await fileSystemOf(context, place.host, root);
  if (disk === undefined)
    context.note(`free space for images of ${place.program} on ${place.host.name} is not known`);
  else
    requireSpace(
      `building ${job.build.tag}`,
      buildSpace(job.build, await folderBytes(place, recipe)),
      disk,
      place.host,
    );
  await requireReader(job, place, recipe);
}

/** Bytes of what is copied in; 0 where there is nothing yet. */
async function folderBytes({ context, host }: BuilderPlace, recipe: BuildRecipe): Promise<number> {
  if (recipe.by === "omni") return 0;
  const result = await context.look(host, { argv: ["du", "-sk", "--", recipe.context], timeout: 120_000 });
  return result.ended && result.code === 0 ? Number.parseInt(result.stdout, 10) * 1024 : 0;
}

async function requireReader(
  { input, build }: ImageJob,
  place: BuilderPlace,
  recipe: BuildRecipe,
): Promise<void> {
  if (!recipe.text.includes("${OMNI_IMAGE}")) return;
  const reader = readerImage(input.deployment);
  const pushed = input.deployment.images.find(({ tag, push }) => tag === reader && push !== undefined)?.push;
  const stored = pushed === undefined ? undefined : await storedImage(reader, { insecure: pushed.insecure });
  if (stored !== undefined || (await localImage(place, reader)) !== undefined) return;
  throw new OmniError(
    "image.no-builder",
    `${reader} is not on ${place.host.name}, and the recipe of ${build.tag} reads its result with it.`,
    {
      hint: `Build it there: images/build.sh ${build.name} sends it along. Or give the spec a registry, which both machines reach.`,
    },
  );
}

/**
 * Builds, looks into the result, tags it, and pushes it: the tag never names an image that was not looked into. What an
 * earlier run has done of it is not done again. Throws `OmniError`, `binary.lacks-architecture` before anything is pushed.
 */
export async function makeImage(job: ImageJob, context: StepContext): Promise<void> {
  const { build } = job;
  const place = await builderOf(context, build);
  const recipe = await chooseRecipe(job, place);
  if (!isFrom(await localImage(place, build.tag), recipe.hash)) {
    if (build.dockerfile !== undefined && recipe.by === "omni")
      context.note(
        `${build.dockerfile} is not on ${place.host.name}: Omni's own recipe ${basename(recipe.file)} is built`,
      );
    const candidate = `${build.tag}-unverified`;
    if (!isFrom(await localImage(place, candidate), recipe.hash))
      await buildImage(job, place, recipe, candidate);
    await lookInto(job, place, recipe, candidate);
    await context.run(place.host, { argv: [place.program, "tag", candidate, build.tag], timeout: TAGGING });
    const forget = place.program === "docker" ? ["image", "rm", "--no-prune"] : ["rmi"];
    await context.run(
      place.host,
      { argv: [place.program, ...forget, candidate], timeout: TAGGING },
      ANY_STATUS,
    );
  }
  if (build.push !== undefined) await pushImage(place, build);
}

/** Reads every binary of what was built; where none is asked for CUDA code, its program has to start. */
async function lookInto(
  { input, build }: ImageJob,
  place: BuilderPlace,
  recipe: BuildRecipe,
  candidate: string,
): Promise<void> {
  const cards = cardsOf(input.deployment, build);
  if (build.cudaArchitectures.length === 0 && cards.length === 0)
    return await startProgram(place, recipe, candidate);
  const { binaries, bytes } = await scanLayer(exportedFiles(place, candidate), "");
  const evidence = checkDeviceCode(build, cards, binaries);
  place.context.note(`looked through ${formatBytes(bytes)} of ${build.tag}: ${evidence.join("; ")}`);
}

/** The rendered check of images without CUDA code, which calls the engine's program. */
async function startProgram(place: BuilderPlace, recipe: BuildRecipe, candidate: string): Promise<void> {
  const check = recipe.files.find(({ path }) => path === "verify.Dockerfile");
  if (check === undefined) return;
  const { context, host, program } = place;
  const buildKit = await hasBuildKit(place);
  const kept =
    program === "buildah" || !buildKit ? ["-t", "omni-verification"] : ["--output", "type=cacheonly"];
  await context.run(host, {
    argv: [
      program,
      "build",
      ...kept,
      "--build-arg",
      `IMAGE=${candidate}`,
      "-f",
      `${recipe.folder}/${check.path}`,
      recipe.folder,
    ],
    environment: program === "docker" ? { DOCKER_BUILDKIT: buildKit ? "1" : "0" } : {},
    timeout: 600_000,
  });
}
