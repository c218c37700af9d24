import { dirname, join } from "node:path";
import { OmniError } from "../../core/index.ts";
import type { ImageBuild } from "../../deployment/index.ts";
import { buildVariables } from "../../render/images/instructions.ts";
import { openBuildLog } from "./build-log.ts";
import { watchBuild } from "./build-progress.ts";
import type { BuildFailure } from "./build-progress.ts";
import type { BuildRecipe, ImageJob } from "./build-recipe.ts";
import { ANY_STATUS, hasBuildKit } from "./image-builder.ts";
import type { BuilderPlace } from "./image-builder.ts";
import { ownSourcesArchive } from "./own-sources.ts";
import { INPUTS_LABEL } from "./registry-proof.ts";

/** CUDA kernels of a whole engine take hours on a few cores; milliseconds. */
const PATIENCE = 8 * 3_600_000;
const COPYING = 600_000;

/** What only BuildKit and buildah know. */
const needsBuildKit = ({ text }: BuildRecipe, build: ImageBuild): boolean =>
  /^\s*(?:RUN|COPY|ADD)\s+--(?:mount|security|link|parents)|<<-?['"]?\w+/m.test(text) ||
  buildVariables(build).secrets.length > 0;

/**
 * Builds an image under `name`, told step by step; all that the builder says is kept in a log of the work folder. Throws
 * `OmniError` `image.build-failed` with the instruction that failed and its last words.
 */
export async function buildImage(
  { input, build }: ImageJob,
  place: BuilderPlace,
  recipe: BuildRecipe,
  name: string,
): Promise<void> {
  const buildKit = await hasBuildKit(place);
  if (!buildKit && needsBuildKit(recipe, build)) throw noBuildKit(place);
  await putFiles(build, place, recipe);
  const { folder: secretFolder, options, values } = await putSecrets({ input, build }, place, recipe);
  const path = logPath({ input, build });
  const watch = watchBuild();
  const log = await openBuildLog(path, values, (line) => {
    const progress = watch.see(line);
    if (progress !== undefined) place.context.progress(progress);
  });
  try {
    const result = await place.context.run(
      place.host,
      {
        argv: [
          place.program,
          "build",
          ...(place.program === "buildah" ? ["--layers"] : buildKit ? ["--progress", "plain"] : []),
          ...(build.network === "default" ? [] : ["--network", build.network]),
          ...options,
          ...recipe.options,
          "--label",
          `${INPUTS_LABEL}=${recipe.hash}`,
          "-f",
          recipe.file,
          "-t",
          name,
          recipe.context,
        ],
        environment: place.program === "docker" ? { DOCKER_BUILDKIT: buildKit ? "1" : "0" } : {},
        timeout: PATIENCE,
        mostBytes: 65_536,
        onOutput: (_stream, text) => log.write(text),
      },
      ANY_STATUS,
    );
    await log.close();
    if (result.code !== 0) throw buildFailed(build, place, watch.failure(), path);
  } finally {
    await log.close();
    if (secretFolder !== undefined)
      await place.context.look(place.host, { argv: ["rm", "-rf", "--", secretFolder], timeout: COPYING });
  }
}

/** The log of an image's last build. */
const logPath = ({ input, build }: ImageJob): string =>
  join(input.workFolder, "logs", `engine-${build.name.replaceAll(/[^\w.-]+/g, "-")}.log`);

async function putFiles(build: ImageBuild, place: BuilderPlace, recipe: BuildRecipe): Promise<void> {
  const { context, host } = place;
  if (recipe.files.length === 0) return;
  await context.run(host, { argv: ["mkdir", "-p", "--", recipe.folder], timeout: COPYING });
  for (const { path, content } of recipe.files) {
    const to = join(recipe.folder, path);
    if (dirname(path) !== ".")
      await context.run(host, { argv: ["mkdir", "-p", "--", dirname(to)], timeout: COPYING });
    await host.writeFile(to, content, { mode: 0o644 });
  }
  if (build.kind !== "omni" || host.kind === "local") return;
  await context.run(host, { argv: ["mkdir", "-p", "--", recipe.context], timeout: COPYING });
  await context.run(host, {
    argv: ["tar", "-C", recipe.context, "-xf", "-"],
    input: ownSourcesArchive(),
    timeout: COPYING,
  });
}

interface PlacedSecrets {
  readonly folder?: string;
  readonly options: readonly string[];
  readonly values: readonly string[];
}

/** Secrets lie in files that only the login reads, and only while the build runs: a command line is open to everybody. */
async function putSecrets(
  { input, build }: ImageJob,
  { context, host }: BuilderPlace,
  recipe: BuildRecipe,
): Promise<PlacedSecrets> {
  const { secrets } = buildVariables(build);
  if (secrets.length === 0) return { options: [], values: [] };
  const folder = join(recipe.folder, ".secrets");
  await context.run(host, { argv: ["mkdir", "-p", "-m", "700", "--", folder], timeout: COPYING });
  const options: string[] = [];
  const values: string[] = [];
  for (const { name, from } of secrets) {
    const value = await input.secret(from);
    context.hide(value);
    values.push(value);
    await host.writeFile(join(folder, name), value, { mode: 0o600 });
    options.push("--secret", `id=${name},src=${join(folder, name)}`);
  }
  return { folder, options, values };
}

const noBuildKit = ({ host }: BuilderPlace): OmniError =>
  new OmniError(
    "image.no-builder",
    `docker buildx is missing on ${host.name}, and the recipe has mounts or secrets, which Docker's old builder does not know.`,
    {
      hint: "Install docker-buildx-plugin (docker.com) or docker-buildx (Debian, Ubuntu), or build with buildah: builder: buildah.",
    },
  );

function buildFailed(
  build: ImageBuild,
  { host, program }: BuilderPlace,
  { instruction, words }: BuildFailure,
  log: string,
): OmniError {
  const where = instruction === undefined ? "" : ` at ${instruction}`;
  const said = words.map((word) => `\n  ${word}`).join("");
  const isFull = /no space left on device|disk quota exceeded/i.test(words.join("\n"));
  return new OmniError(
    isFull ? "image.no-space" : "image.build-failed",
    `${program} on ${host.name} failed to build ${build.tag}${where}:${said}\n  All of it: ${log}`,
  );
}
