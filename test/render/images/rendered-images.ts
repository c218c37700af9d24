import { DockerfileParser } from "dockerfile-ast";
import type { Dockerfile } from "dockerfile-ast";
import type { Deployment, ImageBuild } from "../../../src/deployment/index.ts";
import { images } from "../../../src/render/images/index.ts";

/** Files of the target by path, and what it said. */
export function renderedImages(deployment: Deployment): {
  readonly files: ReadonlyMap<string, string>;
  readonly messages: readonly string[];
} {
  const { artifacts, diagnostics } = images.render(deployment);
  return {
    files: new Map(artifacts.map(({ path, content }) => [path, content])),
    messages: diagnostics.map(
      ({ severity, code, path, message }) => `${severity} ${code} ${path ?? ""} ${message}`,
    ),
  };
}

/** A file of the target, parsed. Throws when there is none. */
export function parsedDockerfile(deployment: Deployment, path: string): Dockerfile {
  const text = renderedImages(deployment).files.get(path);
  if (text === undefined) throw new Error(`no ${path}`);
  return DockerfileParser.parse(text);
}

/** The words of a RUN in exec form; nothing for the others. */
export const execWords = (dockerfile: Dockerfile): readonly (readonly string[])[] =>
  dockerfile
    .getInstructions()
    .filter((instruction) => instruction.getKeyword() === "RUN")
    .map((instruction) => /\[.*\]$/s.exec(instruction.getArgumentsContent() ?? "")?.[0])
    .flatMap((json) => (json === undefined ? [] : [parsedWords(json)]));

function parsedWords(json: string): readonly string[] {
  const parsed: unknown = JSON.parse(json);
  if (Array.isArray(parsed) && parsed.every((word) => typeof word === "string")) return parsed;
  throw new Error(`no words: ${json}`);
}

/** A deployment with these images in place of its own; Omni's stays. */
export const withImages = (deployment: Deployment, builds: readonly Partial<ImageBuild>[]): Deployment => ({
  ...deployment,
  images: [
    ...deployment.images.filter(({ kind }) => kind === "omni"),
    ...builds.map((build) => ({ ...PLAIN, ...build })),
  ],
});

const PLAIN: ImageBuild = {
  name: "engine",
  kind: "llama.cpp",
  tag: "omni/llama-cpp:sm120",
  cudaArchitectures: ["12.0"],
  flags: {},
  environment: {},
  packages: [],
  network: "default",
  builder: "docker",
  path: "engines.engine.build",
};
