import type {
  CompleteRequestParams,
  CompleteResult,
  ReadResourceResult,
  Resource,
  ResourceTemplateType,
} from "@modelcontextprotocol/server";
import { entriesOf, statIn } from "./entries.ts";
import { fileUri, pathOfUri } from "./file-uri.ts";
import { openFolder, placeOf, withFile, type Ground } from "./ground.ts";
import { typeOfBytes, typeOfText } from "./media-type.ts";
import { readBytes } from "./read-bytes.ts";
import { Refusal, shown } from "./refusal.ts";
import { textOf } from "./text.ts";

/** Files that are listed at most, of all roots together; the others are found by the templates. */
const MOST_LISTED = 100;
/** The protocol's own bound. */
const MOST_COMPLETIONS = 100;

/** The files at the top of each root, in order. A root that cannot be used now has none. */
export async function listResources(ground: Ground, signal: AbortSignal): Promise<Resource[]> {
  const found: Resource[] = [];
  for (const { name: root } of ground.roots.all) {
    try {
      await using folder = await openFolder(ground, { root, names: [], text: root });
      const { entries } = await entriesOf(ground, folder, { root, names: [] }, signal);
      for (const { name, kind } of entries) {
        if (found.length >= MOST_LISTED) return found;
        if (kind !== "file") continue;
        const stats = await statIn(folder, name);
        found.push({
          uri: fileUri({ root, names: [name] }),
          name: `${root}/${name}`,
          mimeType: typeOfText(name),
          ...(stats === undefined ? {} : { size: stats.size }),
        });
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }
  return found;
}

export const templates = (ground: Ground): ResourceTemplateType[] =>
  ground.roots.all.map(({ name, writable }) => ({
    name: `${name} files`,
    uriTemplate: templateOf(name),
    description: `A file of the root ${name} (${writable ? "writable" : "read-only"}), by its path in it.`,
  }));

const templateOf = (root: string): string => `files://${root}/{+path}`;

/** A file as a resource, whole. Throws `Refusal`. */
export function readFileResource(
  ground: Ground,
  uri: string,
  signal: AbortSignal,
): Promise<ReadResourceResult> {
  const place = placeOf(ground, pathOfUri(uri), "file");
  return withFile(ground, place, async (file) => {
    const bytes = await readBytes(file, 0, ground.maxRead + 1, signal);
    if (bytes.length > ground.maxRead)
      throw new Refusal(
        `${shown(place.text)} has ${file.stats.size} bytes and is read as a whole here, at most ${ground.maxRead}. The tool read_file reads parts.`,
      );
    const text = textOf(bytes);
    return text === undefined
      ? { contents: [{ uri, mimeType: typeOfBytes(bytes), blob: bytes.toString("base64") }] }
      : { contents: [{ uri, mimeType: typeOfText(place.names.at(-1) ?? ""), text }] };
  });
}

/** Paths that begin with what was typed, folders with a slash behind them; none for what is no place here. */
export async function completePath(
  ground: Ground,
  { ref, argument }: CompleteRequestParams,
  signal: AbortSignal,
): Promise<CompleteResult> {
  const root = ground.roots.all.find(
    ({ name }) => ref.type === "ref/resource" && ref.uri === templateOf(name),
  )?.name;
  const cut = argument.value.lastIndexOf("/") + 1;
  const above = argument.value.slice(0, cut);
  const begun = argument.value.slice(cut);
  if (root === undefined || argument.name !== "path") return { completion: { values: [] } };
  try {
    const place = placeOf(ground, `${root}/${above}`, "folder");
    await using folder = await openFolder(ground, place);
    const { entries } = await entriesOf(ground, folder, place, signal);
    const fitting = entries.filter(
      ({ name, kind }) => name.startsWith(begun) && (kind === "file" || kind === "folder"),
    );
    return {
      completion: {
        values: fitting
          .slice(0, MOST_COMPLETIONS)
          .map(({ name, kind }) => above + name + (kind === "folder" ? "/" : "")),
        total: fitting.length,
        hasMore: fitting.length > MOST_COMPLETIONS,
      },
    };
  } catch (error) {
    if (error instanceof Refusal) return { completion: { values: [] } };
    throw error;
  }
}
