import { z } from "zod";
import { OmniError } from "../../core/index.ts";
import { shown } from "../shown.ts";
import { readJson } from "./model-json.ts";
import { readEach, withFile } from "./model-files.ts";
import type { ModelFiles } from "./model-files.ts";
import { readSafetensorsHeader } from "./safetensors-header.ts";
import type { SafetensorsHeader } from "./safetensors-header.ts";

const INDEX = "model.safetensors.index.json";
const LARGEST_INDEX = 64 << 20;
/** The largest models have some 200 files and 200 000 tensors. */
const MOST_FILES = 4096;
const MOST_TENSORS = 1 << 20;
const WEIGHT_MAP = z.object({ weight_map: z.record(z.string(), z.string().max(255)) });

/**
 * The headers of all files that make up a model. Which they are is told by `model.safetensors.index.json`; without it
 * they are the files named `model*.safetensors`, or else all safetensors beside config.json. Throws `OmniError`
 * `model.malformed` when index and files disagree, `model.not-found` when a file that the index names is not there.
 */
export async function readSafetensorsHeaders(files: ModelFiles): Promise<SafetensorsHeader[]> {
  const map = await readIndex(files);
  const paths = map === undefined ? unindexed(files) : [...new Set(map.values())].toSorted();
  const known = new Set(files.list.map(({ path }) => path));
  const absent = paths.filter((path) => !known.has(path));
  if (absent.length > 0)
    throw new OmniError(
      "model.not-found",
      `${files.name} lacks ${absent.length} of the ${paths.length} files that ${INDEX} names, the first of them ${absent[0]}.`,
      { hint: "Download the rest; the copy is incomplete." },
    );
  if (paths.length > MOST_FILES)
    throw new OmniError(
      "model.malformed",
      `${files.name} has ${paths.length} files of weights; no model has more than ${MOST_FILES}.`,
    );
  let tensors = 0;
  const headers = await readEach(files, paths, async (source) => {
    const header = await readSafetensorsHeader(source);
    tensors += header.tensors.length;
    if (tensors <= MOST_TENSORS) return header;
    throw new OmniError(
      "model.malformed",
      `${files.name} has more than ${MOST_TENSORS} tensors, which no model has.`,
    );
  });
  checkTensors(headers, paths, map, files.name);
  return headers;
}

async function readIndex(files: ModelFiles): Promise<ReadonlyMap<string, string> | undefined> {
  if (!files.list.some(({ path }) => path === INDEX)) return undefined;
  const json = await withFile(files, INDEX, (source) => readJson(source, LARGEST_INDEX));
  const index = WEIGHT_MAP.safeParse(json);
  if (!index.success)
    throw new OmniError(
      "model.malformed",
      `${files.name}/${INDEX} has no weight_map of names to file names.`,
    );
  const map = new Map(Object.entries(index.data.weight_map));
  const outside = [...map.values()].find((path) => !/^[\w][\w.-]*\.safetensors$/.test(path));
  if (outside !== undefined)
    throw new OmniError(
      "model.malformed",
      `${files.name}/${INDEX} names the file ${shown(outside)}, which is no safetensors file beside it.`,
    );
  return map;
}

function unindexed(files: ModelFiles): string[] {
  const tensors = files.list.map(({ path }) => path).filter((path) => /^[^/]+\.safetensors$/.test(path));
  const model = tensors.filter((path) => path.startsWith("model"));
  const found = model.length > 0 ? model : tensors.filter((path) => !path.startsWith("adapter"));
  if (found.length > 0) return found.toSorted();
  throw new OmniError("model.no-weights", `${files.name} holds no safetensors files.`, {
    hint: "Give a folder or repository that holds the weights, not only the configuration.",
  });
}

/** Every tensor stands in one file, and where the index says. */
function checkTensors(
  headers: readonly SafetensorsHeader[],
  paths: readonly string[],
  map: ReadonlyMap<string, string> | undefined,
  where: string,
): void {
  const found = new Map<string, string>();
  for (const [index, header] of headers.entries()) {
    for (const { name } of header.tensors) {
      const other = found.get(name);
      if (other !== undefined)
        throw new OmniError(
          "model.malformed",
          `${where} has the tensor ${shown(name)} in ${other} and in ${paths[index]}.`,
        );
      found.set(name, paths[index] ?? header.name);
    }
  }
  for (const [name, path] of map ?? []) {
    if (found.get(name) === path) continue;
    throw new OmniError(
      "model.malformed",
      `${where}/${INDEX} says that the tensor ${shown(name)} is in ${path}, and it is ${found.has(name) ? `in ${found.get(name)}` : "nowhere"}.`,
    );
  }
}
