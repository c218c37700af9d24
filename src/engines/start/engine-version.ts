/** A version as numbers to compare, most significant first. */
export type EngineVersion = readonly number[];

/** llama.cpp counted its builds until it began to number releases; every release is newer than every build. */
const BUILD = /(?:^|[-:])b(\d+)(?:$|[-@])/;
const RELEASE = /(?:^|[-:v])(\d+(?:\.\d+)+)/;

/** The numbers of `0.13.0`, `v0.5.0`, `24.12`, `b9246` or of an image's tag; absent where there are none. */
export function engineVersion(text: string | undefined): EngineVersion | undefined {
  const build = BUILD.exec(text ?? "")?.[1];
  if (build !== undefined) return [0, 0, Number(build)];
  return RELEASE.exec(text ?? "")?.[1]
    ?.split(".")
    .map(Number);
}

/** Whether the version is known and older than the other. */
export function isBefore(version: EngineVersion | undefined, other: EngineVersion): boolean {
  if (version === undefined) return false;
  const length = Math.max(version.length, other.length);
  for (let index = 0; index < length; index++) {
    const difference = (version[index] ?? 0) - (other[index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** The version of an engine: the one the spec names, else what its image's tag says. Nothing known means the newest. */
export function versionOf(version: string, image: string | undefined): EngineVersion | undefined {
  const tag = image?.replace(/@.*$/, "").split("/").at(-1);
  return engineVersion(version) ?? (tag?.includes(":") === true ? engineVersion(tag) : undefined);
}
