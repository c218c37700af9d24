import type { ImageBuild } from "../../deployment/index.ts";
import type { SecretReference } from "../../deployment/index.ts";
import { OmniError } from "../../core/index.ts";
import { dockerfileName, dockerfileValue, runWord } from "../escape/dockerfile.ts";
import { hashComment } from "../escape/shell.ts";

/** A RUN instruction of commands that all have to succeed; each is text for the shell, its values escaped already. */
export const run = (commands: readonly string[], mounts: readonly string[] = []): string =>
  `RUN ${[...mounts.map((mount) => `--mount=${mount} \\\n    `), commands.join(" \\\n && ")].join("")}`;

/** A command over several lines, one word group a line. */
export const folded = (first: string, rest: readonly string[]): string => [first, ...rest].join(" \\\n    ");

/** A comment and the instructions that it is about. */
export const section = (comment: string, ...instructions: readonly string[]): string =>
  [hashComment(comment), ...instructions].join("\n");

/** Sections with a blank line between, ended by a line break. */
export const dockerfile = (sections: readonly (string | undefined)[]): string =>
  `${sections.filter((text) => text !== undefined && text !== "").join("\n\n")}\n`;

/** ENV lines of plain values; secrets are not among them, because an image keeps its environment for everybody. */
export const envLines = (variables: Readonly<Record<string, string>>, place: string): readonly string[] =>
  Object.entries(variables).map(
    ([name, value]) =>
      `ENV ${dockerfileName(name, `${place}.${name}`)}=${dockerfileValue(value, `${place}.${name}`)}`,
  );

/** The build's variables: plain ones for ENV, secrets for the build's own mounts. */
export interface BuildVariables {
  readonly plain: Readonly<Record<string, string>>;
  readonly secrets: readonly { readonly name: string; readonly from: SecretReference }[];
}

export function buildVariables(build: ImageBuild): BuildVariables {
  const entries = Object.entries(build.environment);
  return {
    plain: Object.fromEntries(
      entries.flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
    ),
    secrets: entries.flatMap(([name, value]) =>
      typeof value === "string"
        ? []
        : [{ name: dockerfileName(name, `${build.path}.environment.${name}`), from: value }],
    ),
  };
}

/** RUN that sees the build's secrets: mounted for this one command, never in a layer. */
export const runWithSecrets = (commands: readonly string[], { secrets }: BuildVariables): string =>
  run(
    [...secrets.map(({ name }) => `export ${name}="$(cat /run/secrets/${name})"`), ...commands],
    secrets.map(({ name }) => `type=secret,id=${name},required=true`),
  );

/** Debian's grammar of a package, with a version where one is pinned. */
const PACKAGE = /^[a-z0-9][a-z0-9+.-]+(?:=[\w.+:~-]+)?$/i;

/** Installs packages of Ubuntu and leaves no lists behind. Throws `OmniError` `render.unrepresentable` on another name. */
export function installPackages(own: readonly string[], build: ImageBuild): string {
  for (const name of build.packages)
    if (!PACKAGE.test(name))
      throw new OmniError(
        "render.unrepresentable",
        `${build.path}.packages: ${JSON.stringify(name)} is no package.`,
        {
          hint: "Name packages as apt knows them, optionally with =VERSION.",
        },
      );
  const names = [...new Set([...own, ...build.packages])];
  return run([
    "apt-get update",
    folded(
      "DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends",
      names.map((name) => runWord(name, `${build.path}.packages`)),
    ),
    "rm -rf /var/lib/apt/lists/*",
  ]);
}
