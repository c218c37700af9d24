import { formatBytes, formatCount } from "../core/index.ts";
import type { BlockWeights, LayerCache, ModelShape } from "../models/index.ts";
import { table } from "./terminal.ts";
import type { Terminal } from "./terminal.ts";

/** Bytes of a cached element when nothing quantizes the cache, and of a recurrent state's. */
const ELEMENT_BYTES = 2;
const STATE_BYTES = 4;
const USUAL_CONTEXTS = [4096, 32_768, 131_072] as const;

/** Bytes a sequence of so many tokens keeps, before an engine rounds them up to its blocks; `f16` and f32 states. */
function sequenceBytes(shape: ModelShape, tokens: number): number {
  return caches(shape).reduce((sum, cache) => {
    if (cache.kind === "state") return sum + (cache.convolution + cache.recurrent) * STATE_BYTES;
    const kept = cache.kind === "window" ? Math.min(tokens, cache.window) : tokens;
    return sum + elementsPerToken(cache) * kept * ELEMENT_BYTES;
  }, 0);
}

function elementsPerToken(cache: LayerCache): number {
  if (cache.kind === "state") return 0;
  if (cache.kind === "latent") return cache.rank + cache.rope + cache.indexer;
  return cache.kvHeads * (cache.keyLength + cache.valueLength);
}

const caches = (shape: ModelShape): LayerCache[] =>
  shape.layers.filter(({ draft }) => draft !== true).flatMap((layer) => layer.caches);

/** Bytes that one more token adds, once every window is full. */
const bytesPerToken = (shape: ModelShape): number =>
  caches(shape)
    .filter(({ kind }) => kind === "full" || kind === "latent")
    .reduce((sum, cache) => sum + elementsPerToken(cache) * ELEMENT_BYTES, 0);

const activeParameters = (shape: ModelShape): number =>
  shape.experts === undefined
    ? shape.parameters
    : Math.round(shape.parameters - shape.expertParameters * (1 - shape.experts.used / shape.experts.count));

function contextsOf(shape: ModelShape, context: number | undefined): number[] {
  if (context !== undefined) return [context];
  const trained = shape.trainedContext;
  const usual = USUAL_CONTEXTS.filter((tokens) => trained === 0 || tokens < trained);
  return trained === 0 ? usual : [...usual, trained];
}

const partOf = (layers: ModelShape["layers"], part: keyof BlockWeights): number =>
  layers.reduce((total, { weights }) => total + weights[part], 0);

/** Bytes by what the tensors are for, largest meaning first; blocks for multi-token prediction apart. */
function groupsOf(shape: ModelShape): readonly (readonly [name: string, bytes: number])[] {
  const main = shape.layers.filter(({ draft }) => draft !== true);
  const drafts = shape.layers.filter(({ draft }) => draft === true);
  return [
    ["embedding", shape.embeddingBytes],
    ["attention", partOf(main, "attention")],
    ["feed-forward", partOf(main, "feedForward")],
    ["experts", partOf(main, "experts")],
    ["head", shape.outputBytes],
    ["other", shape.otherBytes],
    ["draft blocks", partOf(drafts, "attention") + partOf(drafts, "feedForward") + partOf(drafts, "experts")],
    ["projector", shape.projectorBytes],
  ];
}

/** How many blocks keep what: `60 window 1024, 12 full`. */
function attentionKinds(shape: ModelShape): readonly (readonly [kind: string, blocks: number])[] {
  const counts = new Map<string, number>();
  for (const layer of shape.layers.filter(({ draft }) => draft !== true)) {
    const kind = layer.caches.length === 0 ? "without cache" : layer.caches.map(kindOf).join(" + ");
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts];
}

function kindOf(cache: LayerCache): string {
  if (cache.kind === "latent") return cache.indexer > 0 ? "latent (MLA) with indexer (DSA)" : "latent (MLA)";
  if (cache.kind === "state") return "recurrent state";
  return cache.kind === "window" ? `window of ${cache.window}` : "full";
}

/** The shape as programs read it: without the tensors one by one, with what follows from them. */
export function modelDocument(shape: ModelShape, context: number | undefined): object {
  const { tensors, chatTemplate, ...rest } = shape;
  return {
    ...rest,
    activeParameters: activeParameters(shape),
    hasChatTemplate: chatTemplate !== undefined,
    tensorCount: tensors?.length,
    bytesByPart: Object.fromEntries(groupsOf(shape)),
    attention: Object.fromEntries(attentionKinds(shape)),
    cache: {
      elementBytes: ELEMENT_BYTES,
      bytesPerToken: bytesPerToken(shape),
      contexts: contextsOf(shape, context).map((tokens) => ({ tokens, bytes: sequenceBytes(shape, tokens) })),
    },
  };
}

/** Prints a model for a person. */
export function reportModel(shape: ModelShape, context: number | undefined, terminal: Terminal): void {
  const { style } = terminal;
  terminal.out(
    `${style("bold", shape.name ?? shape.architecture)}  ${style("dim", `${shape.architecture}, ${ORIGINS[shape.origin]}`)}`,
  );
  terminal.out("");
  terminal.out(table(facts(shape).map(([name, value]) => [style("dim", name), value])));
  terminal.out("");
  const groups = groupsOf(shape).filter(([, bytes]) => bytes > 0);
  terminal.out(
    table([
      ["BYTES OF", "SIZE", "SHARE"].map((cell) => style("dim", cell)),
      ...groups.map(([name, bytes]) => [name, formatBytes(bytes), share(bytes, shape.weightBytes)]),
    ]),
  );
  terminal.out("");
  terminal.out(
    table([
      ["CONTEXT", "CACHE OF ONE SEQUENCE"].map((cell) => style("dim", cell)),
      ...contextsOf(shape, context).map((tokens) => [
        `${formatCount(tokens)} tokens`,
        formatBytes(sequenceBytes(shape, tokens)),
      ]),
    ]),
  );
}

const ORIGINS: Readonly<Record<ModelShape["origin"], string>> = {
  file: "read from its files",
  hub: "read from the hub",
  catalog: "computed from published dimensions",
  spec: "computed from the spec",
};

function facts(shape: ModelShape): (readonly [string, string])[] {
  const { experts, quantization } = shape;
  const main = shape.layers.filter(({ draft }) => draft !== true).length;
  const drafts = shape.layers.length - main;
  const active = experts === undefined ? "" : `, ${billions(activeParameters(shape))} active`;
  const method = quantization.method === undefined ? "" : ` by ${quantization.method}`;
  return [
    ["parameters", `${billions(shape.parameters)}${active}  (${formatCount(shape.parameters)})`],
    ["format", shape.format],
    [
      "quantization",
      `${quantization.name}${method}, ${quantization.bitsPerWeight.toFixed(2)} bits a parameter`,
    ],
    ["on disk", `${formatBytes(shape.fileBytes)} (${(shape.fileBytes / 1e9).toFixed(2)} GB)`],
    ["layers", `${main}${drafts === 0 ? "" : ` and ${drafts} for multi-token prediction`}`],
    [
      "attention",
      attentionKinds(shape)
        .map(([kind, blocks]) => `${blocks} ${kind}`)
        .join(", "),
    ],
    ["heads", `${shape.heads} of ${shape.headLength}, ${shape.kvHeads} for keys and values`],
    ["cache", `${formatBytes(bytesPerToken(shape))} a token at ${ELEMENT_BYTES} bytes an element`],
    ...(experts === undefined
      ? []
      : ([
          [
            "experts",
            `${experts.count} of width ${formatCount(experts.feedForward)}, ${experts.used} used${experts.shared > 0 ? `, ${experts.shared} shared` : ""}`,
          ],
        ] as const)),
    ["vocabulary", formatCount(shape.vocabulary)],
    ["embeddings", shape.tiedEmbeddings ? "tied to the head" : "apart from the head"],
    ["projector", shape.projectorBytes === 0 ? "none" : formatBytes(shape.projectorBytes)],
    ["trained for", shape.trainedContext === 0 ? "not said" : `${formatCount(shape.trainedContext)} tokens`],
    ["chat template", hasTemplate(shape)],
  ];
}

function hasTemplate({ chatTemplate, origin }: ModelShape): string {
  if (chatTemplate !== undefined) return "yes";
  return origin === "file" || origin === "hub" ? "no" : "not known";
}

const share = (bytes: number, of: number): string => `${((bytes / of) * 100).toFixed(1)} %`;

/** `70.55 B`, `134.5 M`: as model names count. */
function billions(parameters: number): string {
  return parameters >= 1e9 ? `${(parameters / 1e9).toFixed(2)} B` : `${(parameters / 1e6).toFixed(2)} M`;
}
