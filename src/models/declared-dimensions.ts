import { everyNth } from "../catalog/model-dimensions.ts";
import type { Mixer, ModelDimensions } from "../catalog/model-dimensions.ts";
import { OmniError } from "../core/index.ts";

/** A shape as an owner declares it: the `shape:` section of a spec, structurally. Widths count elements. */
export interface DeclaredShape {
  readonly architecture?: string | undefined;
  readonly parameters?: number | undefined;
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly kvHeads?: number | undefined;
  readonly headDim?: number | undefined;
  readonly feedForward?: number | undefined;
  readonly vocabulary: number;
  readonly attention?: "gqa" | "mha" | "mla" | "dsa" | "sliding-window" | "hybrid" | "ssm" | undefined;
  readonly window?: number | undefined;
  readonly fullAttentionInterval?: number | undefined;
  readonly kvLoraRank?: number | undefined;
  readonly ropeHeadDim?: number | undefined;
  readonly indexerDim?: number | undefined;
  readonly experts?:
    | {
        readonly count: number;
        readonly used: number;
        readonly shared?: number | undefined;
        readonly feedForward?: number | undefined;
        readonly denseLayers?: number | undefined;
      }
    | undefined;
  /** Bytes of the recurrent state of one sequence. */
  readonly state?: number | undefined;
  readonly tiedEmbeddings?: boolean | undefined;
  readonly trainedContext?: number | undefined;
}

/** Elements of a recurrent state are f32. Source: llama.cpp, src/llama-memory-recurrent.cpp. */
const STATE_ELEMENT_BYTES = 4;
/** Where nothing tells how long the model was trained, nothing bounds its context. */
const UNKNOWN_CONTEXT = 131_072;

/**
 * The dimensions that a declared shape means, with the defaults of docs/reference/spec.md. Throws `OmniError`
 * `model.no-shape` when the kind of attention needs a number that is not given, or when nothing tells how wide the
 * feed-forward part is.
 */
export function declaredDimensions(shape: DeclaredShape): ModelDimensions {
  const attention = shape.attention ?? "gqa";
  const headLength = shape.headDim ?? Math.ceil(shape.hidden / shape.heads);
  const mixers = mixersOf(shape);
  const latent = attention === "mla" || attention === "dsa" ? latentOf(shape, headLength) : undefined;
  const architecture =
    shape.architecture ?? { mla: "deepseek2", dsa: "deepseek32", other: "llama" }[kindOf(attention)];
  return {
    architecture,
    className: architecture,
    layers: shape.layers,
    hidden: shape.hidden,
    heads: shape.heads,
    kvHeads: attention === "mha" ? shape.heads : (shape.kvHeads ?? shape.heads),
    headLength,
    feedForward: feedForwardOf(shape),
    vocabulary: shape.vocabulary,
    trainedContext: shape.trainedContext ?? UNKNOWN_CONTEXT,
    tied: shape.tiedEmbeddings === true,
    mixers,
    ...(shape.window === undefined ? {} : { window: shape.window }),
    ...(latent === undefined ? {} : { latent }),
    state: stateOf(shape, mixers),
    ...(shape.experts === undefined ? {} : { experts: expertsOf(shape, shape.experts) }),
  };
}

const kindOf = (attention: string): "mla" | "dsa" | "other" =>
  attention === "mla" || attention === "dsa" ? attention : "other";

function mixersOf({ layers, attention, fullAttentionInterval, window }: DeclaredShape): Mixer[] {
  const between: Mixer = attention === "hybrid" ? "state" : "window";
  if (attention === "ssm") return Array.from({ length: layers }, () => "state");
  if (attention !== "hybrid" && attention !== "sliding-window")
    return Array.from({ length: layers }, () => "full");
  if (attention === "sliding-window" && window === undefined)
    throw missing("window", "sliding-window attention");
  if (fullAttentionInterval !== undefined) return everyNth(layers, fullAttentionInterval, between);
  if (attention === "hybrid") throw missing("fullAttentionInterval", "a hybrid model");
  return Array.from({ length: layers }, () => "window");
}

function latentOf(shape: DeclaredShape, headLength: number): NonNullable<ModelDimensions["latent"]> {
  if (shape.kvLoraRank === undefined) throw missing("kvLoraRank", `${shape.attention} attention`);
  const rope = shape.ropeHeadDim ?? 64;
  const length = shape.indexerDim ?? 128;
  return {
    rank: shape.kvLoraRank,
    rope,
    plain: headLength,
    value: headLength,
    ...(shape.attention === "dsa" ? { indexer: { heads: shape.heads, length } } : {}),
  };
}

/** With the number of parameters given, the blocks are scaled to it, and any width has the right proportions. */
function feedForwardOf({ feedForward, hidden, parameters, experts }: DeclaredShape): number {
  if (feedForward !== undefined) return feedForward;
  if (experts !== undefined && (experts.denseLayers ?? 0) === 0) return 0;
  if (parameters === undefined) throw missing("feedForward", "a model without parameters");
  return 4 * hidden;
}

function expertsOf(
  shape: DeclaredShape,
  { count, used, shared = 0, feedForward, denseLayers = 0 }: NonNullable<DeclaredShape["experts"]>,
): NonNullable<ModelDimensions["experts"]> {
  const width = feedForward ?? shape.feedForward;
  if (width === undefined) throw missing("experts.feedForward", "a model with experts");
  return { count, used, shared, denseLayers, feedForward: width };
}

function stateOf(
  { state = 0 }: DeclaredShape,
  mixers: readonly Mixer[],
): NonNullable<ModelDimensions["state"]> {
  const layers = mixers.filter((mixer) => mixer === "state").length;
  return { convolution: 0, recurrent: layers === 0 ? 0 : Math.ceil(state / layers / STATE_ELEMENT_BYTES) };
}

const missing = (key: string, what: string): OmniError =>
  new OmniError("model.no-shape", `The declared shape has no ${key}, which ${what} needs.`, {
    hint: `Add ${key} to shape:; config.json of the model has it.`,
  });
