import { ENGINE_SOURCES } from "../../catalog/index.ts";
import type { Deployment } from "../../deployment/index.ts";
import type { ImageFiles } from "./image-files.ts";
import { architectureLists } from "./architecture-lists.ts";
import { engineSource } from "./engine-source.ts";

/** A text within a line of Markdown: as code, in which nothing but the backtick is special, and without breaks. */
const code = (text: string): string => {
  const line = text.replaceAll(/\s+/g, " ").replaceAll("|", "\\|");
  const ticks = "`".repeat(Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length)) + 1);
  return ticks.length === 1 ? `\`${line}\`` : `${ticks} ${line} ${ticks}`;
};

/** `images/README.md`: what each image is for, how it is built, and what to do when a step fails. */
export function imagesReadme(deployment: Deployment, images: readonly ImageFiles[]): string {
  return [
    `# Images of ${code(deployment.name)}`,
    "",
    "Rendered by Omni from omni.yaml. `./build.sh --dry-run` shows every command, `./build.sh` builds what changed: each image is built, looked into with Omni's reader, tagged and pushed, in this order. A tag never names an image that failed the check.",
    "",
    "| image | engine | source | compiled for | built on |",
    "|---|---|---|---|---|",
    ...images.map(row),
    "",
    ...notes(images),
    "## When a step fails",
    "",
    '* **verify**: the message names the library, what it carries and what it lacks. A card without its code fails at the first kernel with "no kernel image is available for execution on the device", hours after a build that looked well.',
    "* **push**: the image is complete; run `./build.sh` again, it goes on with the push. A registry that speaks plain HTTP has to be named under `insecure-registries` in `/etc/docker/daemon.json`.",
    "* **build**: `--force` builds again although the recipe is the same.",
    "* **disk**: compiling for CUDA takes 20 to 60 GB of Docker's folder; `docker system df` shows what is there, `docker builder prune` frees what no image needs.",
    "",
  ].join("\n");
}

function row({ build, recipe }: ImageFiles): string {
  const source = engineSource(build);
  const cells = [
    code(build.tag),
    `${code(build.name)} (${build.kind})`,
    source === undefined
      ? recipe === undefined
        ? "the owner's Dockerfile"
        : "Omni's repository"
      : `${code(source.repository)} at ${code(source.ref)}${source.pinned ? "" : ", **not pinned**"}`,
    architectureLists(build.cudaArchitectures).required.join(", ") || "processors",
    build.host === undefined ? "here" : code(build.host),
  ];
  return `| ${cells.join(" | ")} |`;
}

function notes(images: readonly ImageFiles[]): readonly string[] {
  const owned = images.filter(({ build }) => build.dockerfile !== undefined);
  return [
    ...(owned.length === 0
      ? []
      : [
          "## The owner's Dockerfiles",
          "",
          ...owned.map(({ build, folder, recipe }) =>
            recipe === undefined
              ? `* ${code(build.dockerfile ?? "")} builds ${code(build.tag)}. Omni has no recipe for ${build.kind}; the result is checked like any other.`
              : `* ${code(build.dockerfile ?? "")} is taken where it exists on the machine that builds; relative paths count from the folder that build.sh is called in. ${code(`${folder}/${recipe}`)} is Omni's equivalent by the same name, taken where the owner's is missing or with \`--recipe omni\`. To adopt it, copy it over the owner's. Both are checked the same way.`,
          ),
          "",
        ]),
    "## Omni's own image",
    "",
    "It reads the binaries of the others, so it is built first. Its context is Omni's repository: `./build.sh --omni-source DIR`.",
    "",
    "## Pins",
    "",
    ...ENGINE_SOURCES.filter(({ kind }) => images.some(({ build }) => build.kind === kind)).map(
      ({ kind, tag, commit, date, source }) =>
        `* ${kind} ${tag} is commit \`${commit}\` (${date}; ${source}).`,
    ),
    "",
  ];
}
