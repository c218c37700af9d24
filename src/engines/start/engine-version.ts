/** A version as numbers to compare, most significant first. */
export type EngineVersion = readonly number[];

/** llama.cpp counted its builds before it numbered releases: `b9246`, in tags `server-cuda-b9246`. */
const BUILD = /(?:^|-)b(\d{1,9})(?=$|-)/;
const RELEASE = /(?:^v?|-v)(\d{1,9}(?:\.\d{1,9})+)/;

function numbersOf(text: string): EngineVersion | undefined {
  const build = BUILD.exec(text)?.[1];
  if (build !== undefined) return [0, 0, Number(build)];
  return RELEASE.exec(text)?.[1]?.split(".").map(Number);
}

/**
 * The version of an engine: what its image's tag says, which is what will run, else the one that the spec names. Nothing
 * where neither has numbers (`latest`): callers take the newest then.
 */
export function versionOf(version: string, image: string | undefined): EngineVersion | undefined {
  const tag = /:([^/:]+)$/.exec(image?.replace(/@.*$/, "") ?? "")?.[1];
  return (tag === undefined ? undefined : numbersOf(tag)) ?? numbersOf(version);
}

/** Whether the version is known and older than the other. */
export function isBefore(version: EngineVersion | undefined, other: EngineVersion): boolean {
  if (version === undefined) return false;
  for (let index = 0; index < Math.max(version.length, other.length); index++) {
    const difference = (version[index] ?? 0) - (other[index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
