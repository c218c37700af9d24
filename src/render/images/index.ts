import type { Diagnostic } from "../../core/index.ts";
import type { Deployment, ImageBuild } from "../../deployment/index.ts";
import type { Artifact, Rendered, Target } from "../artifact.ts";
import { buildScript } from "./build-script.ts";
import { imageFolders, recipeName } from "./image-files.ts";
import type { ImageFiles } from "./image-files.ts";
import { llamaCppRecipe } from "./llama-cpp.ts";
import { omniIgnoreFile, omniRecipe } from "./omni-recipe.ts";
import { PYTHON_ENGINES } from "./python-engine-kinds.ts";
import { pythonRecipe } from "./python-engines.ts";
import { imagesReadme } from "./readme.ts";
import { prepareRecipe } from "./recipe.ts";
import type { Recipe } from "./recipe.ts";
import { readerImage, verificationDockerfile } from "./verification.ts";

/**
 * Images: one Dockerfile for every image that nobody publishes for these cards, with pinned bases and commits, and one
 * script that builds, verifies, tags and pushes them. A build fails when the wanted architecture is not in the binary:
 * Omni's own image reads it in a stage of its own. Never here: what an engine is told when it starts.
 */
export const images: Target = {
  name: "images",
  about:
    "Dockerfiles of the engines for these cards and of Omni, and the script that builds and checks them.",
  wanted: (deployment) => deployment.images.length > 0,
  render: renderImages,
};

function renderImages(deployment: Deployment): Rendered {
  const diagnostics: Diagnostic[] = [];
  const artifacts: Artifact[] = [];
  const files = imageFolders(deployment.images).map(([build, folder]) => {
    const recipe = recipeOf(deployment, build);
    diagnostics.push(...recipe.diagnostics);
    const written = { build, folder, ...filesOf(deployment, build, recipe.text) };
    artifacts.push(
      ...written.artifacts.map((artifact) => ({ ...artifact, path: `images/${folder}/${artifact.path}` })),
    );
    return written;
  });
  return {
    artifacts: [
      {
        path: "images/README.md",
        content: imagesReadme(deployment, files),
        mode: 0o644,
        reason: "asked for by the images below: what they are built from, and what to do when a step fails",
      },
      {
        path: "images/build.sh",
        content: buildScript(deployment, files),
        mode: 0o755,
        reason: `asked for by ${deployment.images.map(({ path }) => path).join(", ")}: builds, verifies, tags and pushes`,
      },
      ...artifacts,
    ],
    diagnostics,
  };
}

interface PossibleRecipe {
  readonly text?: string;
  readonly diagnostics: readonly Diagnostic[];
}

/** Omni's recipe of an image. A kind without one is the owner's to write, and said where no file of theirs is named. */
function recipeOf(deployment: Deployment, build: ImageBuild): PossibleRecipe {
  if (build.kind === "omni") return { text: omniRecipe(deployment, build), diagnostics: [] };
  const python = PYTHON_ENGINES[build.kind];
  const { input, diagnostics } = prepareRecipe(deployment, build);
  const recipe: Recipe | undefined =
    input === undefined
      ? undefined
      : build.kind === "llama.cpp"
        ? llamaCppRecipe(input)
        : python === undefined
          ? undefined
          : pythonRecipe(python, input);
  if (recipe !== undefined)
    return { text: recipe.text, diagnostics: [...diagnostics, ...recipe.diagnostics] };
  if (build.dockerfile !== undefined) return { diagnostics };
  return {
    diagnostics: [
      ...diagnostics,
      {
        code: "render.not-applicable",
        severity: "error",
        path: build.path,
        message: `Omni has no recipe that builds ${build.kind}, and no Dockerfile is named for ${build.tag}.`,
        hint: `Name one: ${build.path}.dockerfile. Or take a published image: engines.${build.name}.image.`,
      },
    ],
  };
}

function filesOf(
  deployment: Deployment,
  build: ImageBuild,
  text: string | undefined,
): Pick<ImageFiles, "recipe" | "verification" | "ignoreFile"> & { readonly artifacts: readonly Artifact[] } {
  const artifacts: Artifact[] = [];
  const add = (path: string, content: string, reason: string): string => {
    artifacts.push({ path, content, mode: 0o644, reason });
    return path;
  };
  const asked = `asked for by ${build.path}`;
  const recipe =
    text === undefined ? undefined : add(recipeName(build), text, `${asked}: the recipe of ${build.tag}`);
  const check = verificationDockerfile(build, readerImage(deployment));
  const checked =
    check === undefined
      ? undefined
      : add("verify.Dockerfile", check, `${asked}: looks into the finished image before it is tagged`);
  const ignored =
    build.kind === "omni"
      ? add(
          "Dockerfile.dockerignore",
          omniIgnoreFile(),
          `${asked}: what of Omni's repository goes to the builder`,
        )
      : undefined;
  return {
    artifacts,
    ...(recipe === undefined ? {} : { recipe }),
    ...(checked === undefined ? {} : { verification: checked }),
    ...(ignored === undefined ? {} : { ignoreFile: ignored }),
  };
}
