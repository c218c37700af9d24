import type { ImageBuild } from "../../deployment/index.ts";

/** An image and the files that belong to it. Paths are relative to `images/`. */
export interface ImageFiles {
  readonly build: ImageBuild;
  /** Folder of its own below `images/`. */
  readonly folder: string;
  /** Omni's recipe; absent for a kind without one. */
  readonly recipe?: string;
  readonly verification?: string;
  /** Omni's own image has no architectures but a context. */
  readonly ignoreFile?: string;
}

const fileName = (text: string, otherwise: string): string => {
  const name = text.replaceAll(/[^\w.-]+/g, "-").replaceAll(/^[.-]+|[.-]+$/g, "");
  return name === "" ? otherwise : name;
};

/** The name of a recipe: the owner's file name, so that it can take the owner's place, or `Dockerfile`. */
export const recipeName = (build: ImageBuild): string =>
  build.dockerfile === undefined
    ? "Dockerfile"
    : fileName(build.dockerfile.split("/").at(-1) ?? "", "Dockerfile");

/** A folder for each image; Omni's own comes first, because it reads the others. */
export function imageFolders(images: readonly ImageBuild[]): readonly (readonly [ImageBuild, string])[] {
  const ordered = images.toSorted((a, b) => Number(b.kind === "omni") - Number(a.kind === "omni"));
  const taken = new Set<string>();
  return ordered.map((build) => {
    const wanted = fileName(build.name, "image");
    let folder = wanted;
    for (let count = 2; taken.has(folder.toLowerCase()); count++) folder = `${wanted}-${count}`;
    taken.add(folder.toLowerCase());
    return [build, folder] as const;
  });
}
