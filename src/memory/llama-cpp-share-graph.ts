import type { LayerCache, ModelShape } from "../models/model-shape.ts";
import { addAttention, addFeedForward, addMixer } from "./llama-cpp-block-graph.ts";
import { Graph, type GraphValue } from "./llama-cpp-graph.ts";
import {
  addInput,
  addMasks,
  foreignCacheBytes,
  type ComputeShare,
  type GraphModel,
  graphRun,
  indexerBytes,
  type Masks,
  perLayerWidth,
  rows,
} from "./llama-cpp-graph-model.ts";
import type { BlockWidths } from "./llama-cpp-widths.ts";

const F32 = 4;
const I32 = 4;

/**
 * Architectures that compute their last block for all tokens and pick rows behind the last norm; the others pick them
 * between attention and feed-forward part of the last block. Source: src/models/*.cpp (`inp_out_ids`).
 */
const LATE_ROWS: ReadonlySet<string> = new Set(
  "bailingmoe3 cohere2moe gemma4 gpt-oss hy_v3 nemotron_h nemotron_h_moe qwen35 qwen35moe qwen3next step35".split(
    " ",
  ),
);

/** The graph of a card's share, of which only `blocks` are built because the others repeat them. */
export function cardGraph(model: GraphModel, share: ComputeShare, blocks: readonly number[]): Graph {
  const graph = new Graph();
  const hidden = rows(model, model.shape.hidden);
  if (share.handedOver && share.copies > 1) addInput(graph, hidden, share.copies);
  graph.kept(indexerBytes(model, share) + foreignCacheBytes(model, share));
  const perLayer =
    perLayerWidth(model) > 0 ? addInput(graph, rows(model, perLayerWidth(model)), share.copies) : undefined;
  const stream = addInput(graph, hidden, share.copies);
  const crossing = crossingScan(model, share);
  if (crossing > 0) addInput(graph, rows(model, crossing), share.copies);
  const masks = addMasks(graph, model, blocks, share.copies);
  addBlocks(graph, model, share, blocks, { stream, perLayer, masks });
  addFeedForwardOf(graph, model, share.borrowed);
  return graph;
}

/**
 * The graph of main memory: the inputs, the embedding's rows, and what is computed there. `away` is a block whose experts
 * are computed here although it is on a card.
 */
export function hostGraph(
  model: GraphModel,
  share: ComputeShare,
  blocks: readonly number[],
  away: number | undefined,
): Graph {
  const graph = new Graph();
  graph.kept(model.context.tokens * I32 + indexerBytes(model, share));
  graph.kept(rows(model, model.shape.hidden));
  const stream = graph.result(rows(model, model.shape.hidden));
  const perLayer = perLayerWidth(model) > 0 ? graph.result(rows(model, perLayerWidth(model))) : undefined;
  const every = model.shape.layers.map((_, index) => index);
  addBlocks(graph, model, share, blocks, {
    stream,
    perLayer,
    masks: addMasks(graph, model, every, share.copies),
  });
  addFeedForwardOf(graph, model, away, { sharedWidth: 0 });
  return graph;
}

/** The feed-forward part of a block whose other parts are elsewhere. */
function addFeedForwardOf(
  graph: Graph,
  model: GraphModel,
  block: number | undefined,
  changes: Partial<BlockWidths> = {},
): void {
  const widths = block === undefined ? undefined : model.widths[block];
  if (widths === undefined) return;
  const input = graph.result(rows(model, widths.hidden));
  graph.read(addFeedForward(graph, input, { ...widths, ...changes }, model.context.tokens));
}

/** The last block of the main pass, which goes on with the rows that are asked for only. */
export const lastBlock = (shape: ModelShape): number =>
  shape.layers.findLastIndex(({ draft }) => draft !== true);

/**
 * Where a scan follows another and the boundary between two cards lies between them, llama.cpp's scheduler moves a part
 * of the earlier scan over: its projection goes to the next card, its gate comes back. Width of what is copied, or 0.
 */
export function crossingScan({ shape, widths }: GraphModel, share: ComputeShare): number {
  const first = share.blocks[0];
  const last = share.blocks.at(-1);
  if (share.copies === 1 || first === undefined || last === undefined) return 0;
  const scans = (block: number): boolean =>
    widths[block]?.scans === true &&
    (widths[block + 1]?.mixerInner ?? 0) > 0 &&
    block + 1 < shape.layers.length;
  const entering = share.handedOver && scans(first - 1) ? (widths[first - 1]?.mixerInput ?? 0) : 0;
  return entering + (!share.output && scans(last) ? (widths[last]?.mixerInner ?? 0) : 0);
}

interface GraphInputs {
  readonly stream: GraphValue;
  /** Embeddings of every layer for every token (Gemma 3n and 4). */
  readonly perLayer: GraphValue | undefined;
  readonly masks: Masks;
}

function addBlocks(
  graph: Graph,
  model: GraphModel,
  share: ComputeShare,
  blocks: readonly number[],
  inputs: GraphInputs,
): void {
  const last = lastBlock(model.shape);
  const late = LATE_ROWS.has(model.shape.architecture);
  const hidden = rows(model, model.shape.hidden);
  let { stream } = inputs;
  let embedded: GraphValue | undefined;
  for (const block of blocks) {
    stream = addBlock(graph, model, share, block, stream, inputs.masks, block === last && !late);
    if (inputs.perLayer === undefined) continue;
    embedded ??= addPerLayerProjection(graph, inputs.perLayer, rows(model, perLayerWidth(model)), stream);
    stream = graph.inPlace(hidden, graph.result(hidden, embedded), stream);
  }
  graph.read(
    ...(embedded === undefined ? [] : [embedded]),
    ...(inputs.perLayer === undefined ? [] : [inputs.perLayer]),
  );
  if (share.output) addHead(graph, model, stream, blocks.includes(last) && !late);
  else graph.read(stream);
}

/** What all layers read of the per-layer embeddings, projected once behind the first block. */
function addPerLayerProjection(
  graph: Graph,
  input: GraphValue,
  bytes: number,
  stream: GraphValue,
): GraphValue {
  const projected = graph.result(bytes, stream);
  return graph.result(bytes, graph.inPlace(bytes, projected, input));
}

/** The last norm and the logits, of the rows that are asked for; `picked` when only those are left. */
function addHead(graph: Graph, model: GraphModel, stream: GraphValue, picked: boolean): void {
  const { hidden, vocabulary } = model.shape;
  const outputs = model.context.outputs * F32;
  const normed = graph.inPlace(picked ? outputs * hidden : rows(model, hidden), stream);
  graph.read(graph.result(outputs * vocabulary, picked ? normed : graph.result(outputs * hidden, normed)));
}

function addBlock(
  graph: Graph,
  model: GraphModel,
  share: ComputeShare,
  block: number,
  stream: GraphValue,
  masks: Masks,
  picksRows: boolean,
): GraphValue {
  const widths = model.widths[block];
  const layer = model.shape.layers[block];
  if (widths === undefined || layer === undefined) return stream;
  const tokens = picksRows ? model.context.outputs : model.context.tokens;
  const bytes = widths.hidden * tokens * F32;
  const mixed = addMixers(graph, model, share, widths, layer.caches, stream, masks);
  const residual =
    mixed.length === 0
      ? stream
      : graph.inPlace(
          bytes,
          ...(picksRows ? [...mixed, stream].map((value) => graph.result(bytes, value)) : [...mixed, stream]),
        );
  if (widths.feedForward === 0 && widths.experts === 0) return residual;
  const normed = graph.result(bytes, residual);
  if (share.expertsAway(block)) {
    const fromHost = graph.result(bytes * widths.expertsUsed, normed);
    return graph.inPlace(bytes, graph.result(bytes, fromHost), residual);
  }
  return graph.inPlace(bytes, addFeedForward(graph, normed, widths, tokens), residual);
}

/** Recurrent mixer and attention of a block, whichever it has. */
function addMixers(
  graph: Graph,
  model: GraphModel,
  share: ComputeShare,
  widths: BlockWidths,
  caches: readonly LayerCache[],
  stream: GraphValue,
  masks: Masks,
): GraphValue[] {
  if (widths.attended === 0 && widths.mixerInner === 0) return [];
  const run = graphRun(model, share.cuda);
  const normed = graph.result(rows(model, widths.hidden), stream);
  const results = caches.flatMap((cache) =>
    cache.kind === "state" ? [addMixer(graph, normed, widths, cache, run)] : [],
  );
  if (widths.attended === 0) return results;
  const cache = caches.find(({ kind }) => kind !== "state");
  const mask = masks.get(cache?.kind === "window" ? "window" : "full") ?? normed;
  return [...results, addAttention(graph, normed, widths, cache, mask, run)];
}
