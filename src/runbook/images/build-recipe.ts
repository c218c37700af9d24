import { createHash } from "node:crypto";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { canonicalJson, OmniError } from "../../core/index.ts";
import type { ImageBuild } from "../../deployment/index.ts";
import { architectureLists } from "../../render/images/architecture-lists.ts";
import { imageFolders, recipeName } from "../../render/images/image-files.ts";
import { buildVariables } from "../../render/images/instructions.ts";
import { readerImage } from "../../render/images/verification.ts";
import type { RunbookInput } from "../runbook.ts";
import type { BuilderPlace } from "./image-builder.ts";
import { OMNI_SOURCE, ownSourcesHash } from "./own-sources.ts";

/** One image to be built, and all that it follows from. */
export interface ImageJob {
  readonly input: RunbookInput;
  readonly build: ImageBuild;
}

/** A recipe and what is built with it, on the machine that builds. */
export interface BuildRecipe {
  readonly by: "owner" | "omni";
  readonly text: string;
  /** Dockerfile and the folder that its COPY lines see. */
  readonly file: string;
  readonly context: string;
  /** Words of the build command that are the recipe's own. */
  readonly options: readonly string[];
  /** Files that have to be put there first, relative to `folder`. */
  readonly files: readonly { readonly path: string; readonly content: string }[];
  /** Folder on that machine that belongs to Omni. */
  readonly folder: string;
  /** Hash of all of it. */
  readonly hash: string;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/**
 * The recipe of an image: the owner's where that file lies on the machine that builds, else Omni's. Throws `OmniError`
 * `image.no-recipe` where there is neither.
 */
export async function chooseRecipe(job: ImageJob, place: BuilderPlace): Promise<BuildRecipe> {
  return (await ownersRecipe(job, place)) ?? (await omnisRecipe(job, place));
}

async function ownersRecipe(
  { input, build }: ImageJob,
  place: BuilderPlace,
): Promise<BuildRecipe | undefined> {
  if (build.dockerfile === undefined) return undefined;
  const file = onBuilder(build.dockerfile, input, place);
  const bytes = await place.host.readFile(file);
  if (bytes === undefined) return undefined;
  const text = Buffer.from(bytes).toString("utf8");
  const context = build.context === undefined ? dirname(file) : onBuilder(build.context, input, place);
  const options = buildArguments(build);
  return {
    by: "owner",
    text,
    file,
    context,
    options,
    files: [],
    folder: workFolder({ input, build }, place),
    hash: hashOf(build, text, options, await listing(context, place)),
  };
}

/** Relative paths count from the spec's folder here, and from the login's home elsewhere. */
const onBuilder = (path: string, { folder }: RunbookInput, { host }: BuilderPlace): string =>
  host.kind === "local" && !isAbsolute(path) ? resolve(folder, path) : path;

/** Names, sizes and times of a folder as one hash: reading all of it would take as long as building. */
async function listing(folder: string, { context, host }: BuilderPlace): Promise<string> {
  const script = 'find "$1" -type f -printf "%P %s %T@\\n" | LC_ALL=C sort | sha256sum';
  const result = await context.look(host, { argv: ["sh", "-c", script, "sh", folder], timeout: 120_000 });
  if (result.ended && result.code === 0) return result.stdout.split(" ")[0] ?? "";
  throw new OmniError(
    "image.no-recipe",
    `The build's folder ${folder} cannot be read on ${host.name}: ${result.stderr.trim()}`,
  );
}

async function omnisRecipe(job: ImageJob, place: BuilderPlace): Promise<BuildRecipe> {
  const { input, build } = job;
  const inRender = `images/${imageFolders(input.deployment.images).find(([one]) => one === build)?.[1] ?? build.name}/`;
  const files = input.rendered.files
    .filter(({ path }) => path.startsWith(inRender))
    .map(({ path, content }) => ({ path: path.slice(inRender.length), content }));
  const name = recipeName(build);
  const recipe = files.find(({ path }) => path === name);
  if (recipe === undefined) throw noRecipe(build, place);
  const folder = workFolder(job, place);
  const file = join(folder, name);
  const own = build.kind === "omni";
  const reader = own ? [] : ["--build-arg", `OMNI_IMAGE=${readerImage(input.deployment)}`];
  const ignored = own && place.program === "buildah" ? ["--ignorefile", `${file}.dockerignore`] : [];
  const context = own ? (place.host.kind === "local" ? OMNI_SOURCE : join(folder, "source")) : folder;
  return {
    by: "omni",
    text: recipe.content,
    file,
    context,
    options: [...reader, ...ignored],
    files,
    folder,
    hash: hashOf(build, recipe.content, reader, own ? await ownSourcesHash() : ""),
  };
}

const noRecipe = (build: ImageBuild, { host }: BuilderPlace): OmniError =>
  new OmniError(
    "image.no-recipe",
    build.dockerfile === undefined
      ? `Omni has no recipe that builds ${build.kind}, and no Dockerfile is named for ${build.tag}.`
      : `${build.dockerfile} is not on ${host.name}, and Omni has no recipe of its own that builds ${build.kind}.`,
    {
      hint: `Name one that lies there: ${build.path}.dockerfile. Or take a published image: engines.${build.name}.image.`,
    },
  );

/** Folder of Omni's on the machine that builds: in the work folder here, below the login's home elsewhere. */
function workFolder({ input, build }: ImageJob, { host }: BuilderPlace): string {
  const own = imageFolders(input.deployment.images).find(([one]) => one === build)?.[1] ?? build.name;
  const deployment = input.deployment.name.replaceAll(/[^\w.-]+/g, "-");
  return host.kind === "local"
    ? join(input.workFolder, "images", own)
    : join(".omni-images", deployment, "images", own);
}

/** What an owner's Dockerfile is told: the plain variables of the spec, and the architectures as build systems write them. */
function buildArguments(build: ImageBuild): readonly string[] {
  const { cmake, torch } = architectureLists(build.cudaArchitectures);
  const named = {
    ...buildVariables(build).plain,
    ...(cmake === "" ? {} : { CMAKE_CUDA_ARCHITECTURES: cmake }),
    ...(torch === "" ? {} : { TORCH_CUDA_ARCH_LIST: torch }),
  };
  return Object.entries(named).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]);
}

/** Of secrets only their names count: another value is no other image. */
const hashOf = (build: ImageBuild, text: string, options: readonly string[], sources: string): string =>
  sha256(
    canonicalJson({
      text,
      options,
      sources,
      network: build.network,
      architectures: build.cudaArchitectures,
      secrets: buildVariables(build).secrets.map(({ name }) => name),
    }),
  );
