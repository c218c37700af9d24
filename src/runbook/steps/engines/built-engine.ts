import type { DeployedService, ImageBuild } from "../../../deployment/index.ts";
import { imageFolders, recipeName } from "../../../render/images/image-files.ts";
import { cardsOf, makeImage, observeImage, precheckImage } from "../../images/index.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Step } from "../../step.ts";
import { needsOfBuilder } from "./machine-of.ts";
import { withoutEngine } from "./without-engine.ts";

/** Eight hours of compiling and four of sending, milliseconds. */
const TIMEOUT = 12 * 3_600_000;

/** `engine/NAME`: the image of an engine built, checked and pushed. */
export function builtEngineStep(
  input: RunbookInput,
  build: ImageBuild,
  users: readonly DeployedService[],
): Step {
  const { deployment } = input;
  const job = { input, build };
  const cards = cardsOf(deployment, build);
  const recipe = recipeOf(input, build);
  // Where the owner's own file is to be built, Omni's recipe is the exception, and its precheck asks for the image.
  const reads = recipe.includes("${OMNI_IMAGE}") && build.kind !== "omni" && build.dockerfile === undefined;
  const { tag, push, builder, host } = build;
  return {
    id: `engine/${build.name}`,
    phase: "engines",
    title: `${tag} built${push === undefined ? "" : ` and in ${push.address}`}`,
    asked: build.path,
    needs: [...needsOfBuilder(deployment, build), ...(reads ? ["engine/omni"] : [])],
    inputs: { build, cards, recipe },
    timeout: TIMEOUT,
    precheck: (context) => precheckImage(job, context),
    verify: (context) => observeImage(job, context),
    apply: (context) => makeImage(job, context),
    preview: [
      `${builder} build -t ${tag}${host === undefined ? "" : ` on ${host}`}`,
      ...(cards.length + build.cudaArchitectures.length === 0
        ? []
        : [
            `look into every library for code of ${[...build.cudaArchitectures, ...cards.map((card) => `a card ${card}`)].join(", ")}`,
          ]),
      ...(push === undefined ? [] : [`${builder} push ${tag}`]),
    ],
    ...withoutEngine(build.name, users),
  };
}

/** Text of Omni's own recipe; empty where there is none. */
function recipeOf({ deployment, rendered }: RunbookInput, build: ImageBuild): string {
  const folder = imageFolders(deployment.images).find(([one]) => one === build)?.[1];
  return rendered.files.find(({ path }) => path === `images/${folder}/${recipeName(build)}`)?.content ?? "";
}
