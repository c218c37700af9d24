import { OmniError } from "../core/index.ts";

/** Parts of a split model: `NAME-00002-of-00009.gguf`. Source: llama_split_path of llama.cpp. */
const PART = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/;

/**
 * The GGUF models among some paths: each model's first part to all of its parts in order. Projectors (`mmproj`) and
 * importance matrices are no models.
 */
export function modelFilesOf(paths: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const models = new Map<string, string[]>();
  for (const path of paths
    .filter((path) => /\.gguf$/i.test(path) && !/mmproj|imatrix/i.test(path))
    .toSorted()) {
    const [, stem, , total] = PART.exec(path) ?? [];
    const first = stem === undefined ? path : `${stem}-00001-of-${total}.gguf`;
    const parts = models.get(first);
    if (parts === undefined) models.set(first, [path]);
    else parts.push(path);
  }
  return models;
}

/** The largest models have some fifty. */
const MOST_PARTS = 1024;

/** What is wanted of a repository's GGUF files: a quantization, or globs over their paths. */
export interface GgufChoice {
  readonly quantization?: string | undefined;
  readonly files?: readonly string[] | undefined;
}

/** What llama.cpp takes when nobody says. Source: common/arg.cpp, `-hf`: "quant is optional … default to Q4_K_M". */
const USUAL = "Q4_K_M";

/**
 * All parts of the one model that is wanted. Throws `OmniError` `hub.not-found` when none or several fit, naming what
 * there is, or when a part is missing.
 */
export function pickGguf(paths: readonly string[], choice: GgufChoice, where: string): readonly string[] {
  const models = modelFilesOf(paths);
  const fitting = fittingModels(models, choice);
  const [only, second] = fitting;
  if (only === undefined || second !== undefined) throw unclear(models, fitting, choice, where);
  const parts = models.get(only) ?? [];
  const total = Number(PART.exec(only)?.[3] ?? 1);
  if (total > MOST_PARTS)
    throw new OmniError("hub.not-found", `${where} claims ${total} parts of ${only}; no model has so many.`);
  if (parts.length === total) return parts;
  throw new OmniError("hub.not-found", `${where} holds ${parts.length} of the ${total} parts of ${only}.`, {
    hint: "Choose another quantization, or tell the repository's owner.",
  });
}

function fittingModels(models: ReadonlyMap<string, readonly string[]>, choice: GgufChoice): string[] {
  const names = [...models.keys()];
  if (choice.files !== undefined) {
    const globs = choice.files;
    return names.filter((name) =>
      (models.get(name) ?? []).some((part) => globs.some((glob) => fitsGlob(part, glob))),
    );
  }
  if (choice.quantization !== undefined) return withQuantization(names, choice.quantization);
  return names.length === 1 ? names : withQuantization(names, USUAL);
}

/** `Q4_K_M` is not `Q4_K_M_L`, and a plain `Q4_K_XL` is not an `UD-Q4_K_XL` unless there is no other. */
function withQuantization(names: readonly string[], quantization: string): string[] {
  const escaped = quantization.replaceAll(/[^\w]/g, String.raw`\$&`);
  const pattern = new RegExp(String.raw`(?:^|[-._/])${escaped}(?=[-./]|$)`, "i");
  const found = names.filter((name) => pattern.test(name));
  const exact = found.filter((name) => !new RegExp(String.raw`(?:UD|i1)[-.]${escaped}`, "i").test(name));
  return exact.length > 0 ? exact : found;
}

/**
 * Whether a path, or its file's name, fits a glob of `*` and `?`, in any case. Two places to go back to and no regular
 * expression: a pattern with many stars would otherwise take time without end.
 */
export function fitsGlob(path: string, glob: string): boolean {
  const name = path.replace(/^.*\//, "");
  return [path, name].some((text) => fits(text.toLowerCase(), glob.toLowerCase()));
}

function fits(text: string, glob: string): boolean {
  let [at, place, star, resume] = [0, 0, -1, 0];
  while (at < text.length) {
    if (glob[place] === "*") {
      star = place++;
      resume = at;
    } else if (place < glob.length && (glob[place] === "?" || glob[place] === text[at])) {
      place++;
      at++;
    } else if (star === -1) return false;
    else {
      place = star + 1;
      at = ++resume;
    }
  }
  return /^\**$/.test(glob.slice(place));
}

function unclear(
  models: ReadonlyMap<string, readonly string[]>,
  fitting: readonly string[],
  choice: GgufChoice,
  where: string,
): OmniError {
  const wanted = choice.files?.join(" ") ?? choice.quantization ?? USUAL;
  if (models.size === 0)
    return new OmniError("hub.not-found", `${where} holds no GGUF files.`, {
      hint: "Take a repository of GGUF files, or leave the quantization out for safetensors.",
    });
  const listed = fitting.length > 0 ? fitting : [...models.keys()];
  const some = listed.slice(0, 8).join(", ");
  const what =
    fitting.length > 0 ? `${fitting.length} models that fit ${wanted}` : `no model that fits ${wanted}`;
  return new OmniError("hub.not-found", `${where} holds ${what}: ${some}${listed.length > 8 ? ", …" : ""}.`, {
    hint: "Name the quantization or the file of one of them.",
  });
}
