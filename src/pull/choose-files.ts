import { nearest, OmniError } from "../core/index.ts";
import { fitsGlob, isGguf, pickGguf, wantsGguf } from "../models/index.ts";
import type { GgufChoice, HubFile } from "../models/index.ts";

export interface FileChoice extends GgufChoice {
  /** Globs of `*` and `?` over paths; nothing else decides then. */
  readonly include?: readonly string[] | undefined;
}

export interface LeftOut {
  /** `other quantizations`, `PyTorch copies of the safetensors`. */
  readonly what: string;
  readonly files: number;
  readonly bytes: number;
}

export interface ChosenFiles {
  readonly wanted: readonly HubFile[];
  readonly leftOut: readonly LeftOut[];
}

/** Beside weights in the repository's own folder: configuration, tokenizer, chat template, code of the model. */
const COMPANION =
  /^(?:[^/]+\.(?:json|jinja|model|tiktoken|py)|(?:additional_chat_templates\/[^/]+\.jinja)|(?:vocab|merges|added_tokens|special_tokens)\.txt)$/i;
/** Diffusion pipelines keep each of their models in a folder. */
const PIPELINE = /^(?:[^/]+\/)?[^/]+\.(?:json|jinja|model|safetensors|txt)$/i;
const VARIANT = /\.(?:fp16|bf16|fp32|non_ema|ema)(?:-\d{5}-of-\d{5})?\.safetensors$/i;
const FOREIGN_FOLDER = /^(?:original|onnx|openvino|coreml|mlx|gguf|tf|flax|metal|pth)\//i;

/**
 * The files of a repository that an engine reads: one quantization's parts and the projector, or safetensors with what
 * stands beside them. Throws `OmniError` `hub.not-found` or `pull.nothing` when nothing fits.
 */
export function chooseFiles(files: readonly HubFile[], choice: FileChoice, repo: string): ChosenFiles {
  const paths = new Set(wantedPaths(files, choice, repo));
  const wanted = files.filter(({ path }) => paths.has(path));
  if (wanted.length === 0)
    throw new OmniError("pull.nothing", `${repo} has ${files.length} files, and none of them is wanted.`);
  const seen = new Map<string, LeftOut>();
  for (const { path, size } of files.filter((file) => !paths.has(file.path))) {
    const what = kindOf(path);
    const before = seen.get(what) ?? { what, files: 0, bytes: 0 };
    seen.set(what, { what, files: before.files + 1, bytes: before.bytes + size });
  }
  return { wanted, leftOut: [...seen.values()].toSorted((a, b) => b.bytes - a.bytes) };
}

function wantedPaths(files: readonly HubFile[], choice: FileChoice, repo: string): readonly string[] {
  const paths = files.map(({ path }) => path);
  const { include } = choice;
  if (include !== undefined) return paths.filter((path) => include.some((glob) => fitsGlob(path, glob)));
  if (paths.includes("model_index.json") && choice.quantization === undefined)
    return paths.filter((path) => PIPELINE.test(path) && !VARIANT.test(path) && !FOREIGN_FOLDER.test(path));
  if (wantsGguf(paths, choice) && paths.some(isGguf))
    return [...pickNamed(paths, choice, repo), ...projectorOf(paths)];
  if (choice.quantization !== undefined) return pickNamed(paths, choice, repo);
  return [...weightsOf(paths), ...paths.filter((path) => COMPANION.test(path))];
}

/** `Q4_K_M` of `model-Q4_K_M-00001-of-00002.gguf`. Source: the names that llama.cpp's llama-quantize gives. */
const QUANTIZATION = /(?:UD-|i1-)?(?:I?Q\d[\w]*|TQ\d_\d|MXFP4(?:_MOE)?|BF16|F16|F32)(?=[-.]|$)/gi;

function pickNamed(paths: readonly string[], choice: FileChoice, repo: string): readonly string[] {
  try {
    return pickGguf(paths, choice, repo);
  } catch (thrown) {
    const known = new Set(paths.filter(isGguf).flatMap((path) => path.match(QUANTIZATION) ?? []));
    const near = choice.quantization === undefined ? undefined : nearest(choice.quantization, known);
    if (!(thrown instanceof OmniError) || near === undefined) throw thrown;
    throw new OmniError(thrown.code, thrown.message, {
      hint: `Did you mean hf:${repo}:${near}?`,
      cause: thrown,
    });
  }
}

/** Engines take a projector in half precision; a larger one is no better and a smaller one is a choice of its own. */
function projectorOf(paths: readonly string[]): readonly string[] {
  const projectors = paths.filter((path) => isGguf(path) && /mmproj/i.test(path)).toSorted();
  const best =
    [/(?:^|[-._])f16(?=[-.])/i, /(?:^|[-._])bf16(?=[-.])/i]
      .map((precision) => projectors.find((path) => precision.test(path)))
      .find((path) => path !== undefined) ?? projectors[0];
  return best === undefined ? [] : [best];
}

/** Safetensors of the repository's own folder; the older formats only where there are none. */
function weightsOf(paths: readonly string[]): readonly string[] {
  const tensors = paths.filter((path) => /^[^/]+\.safetensors$/i.test(path));
  // Mistral publishes the same weights twice: consolidated*.safetensors for its own program.
  const own = tensors.filter((path) => !/^consolidated/i.test(path));
  if (tensors.length > 0) return own.length > 0 ? own : tensors;
  return paths.filter(
    (path) => /^[^/]+\.(?:bin|pt|pth)$/i.test(path) && !/^(?:training_args|optimizer|scheduler)/i.test(path),
  );
}

function kindOf(path: string): string {
  if (FOREIGN_FOLDER.test(path)) return `the folder ${path.replace(/\/.*/s, "/")}`;
  if (isGguf(path))
    return /mmproj/i.test(path)
      ? "other projectors"
      : /imatrix/i.test(path)
        ? "importance matrices"
        : "other quantizations";
  if (/\.(?:bin|pt|pth|ckpt)$/i.test(path)) return "PyTorch copies";
  if (/\.safetensors$/i.test(path)) return "other safetensors";
  if (/\.(?:onnx|onnx_data|h5|msgpack|tflite|ot|pb)$/i.test(path)) return "other formats";
  return "documents and other files";
}
