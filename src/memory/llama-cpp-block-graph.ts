import type { LayerCache } from "../models/model-shape.ts";
import type { Graph, GraphValue } from "./llama-cpp-graph.ts";
import type { BlockWidths } from "./llama-cpp-widths.ts";

/** What the graph of a block depends on beside its widths. */
export interface GraphRun {
  /** Tokens computed at once. */
  readonly tokens: number;
  readonly sequences: number;
  readonly flashAttention: boolean;
  /** Cells of one stream for a kind of cache. */
  readonly cells: (cache: LayerCache) => number;
  /** Bytes that flash attention needs beside its result: keys and values unpacked to F16 (CUDA only). */
  readonly scratch: (cache: LayerCache) => number;
}

const F32 = 4;

/** Adds the attention of one block: keys and values go to the cache, queries meet the mask and the cache. */
export function addAttention(
  graph: Graph,
  input: GraphValue,
  widths: BlockWidths,
  cache: LayerCache | undefined,
  mask: GraphValue,
  run: GraphRun,
): GraphValue {
  const bytes = (width: number): number => width * run.tokens * F32;
  if (cache?.kind === "latent") return addLatentAttention(graph, input, widths, cache, mask, run);
  const keys = cache === undefined || cache.kind === "state" ? 0 : cache.kvHeads * cache.keyLength;
  const values = cache === undefined || cache.kind === "state" ? 0 : cache.kvHeads * cache.valueLength;
  let query: GraphValue;
  if (widths.fusedQuery) {
    const all = graph.result(bytes(widths.query), input);
    query = graph.result(bytes(widths.attended), all);
    const key = graph.result(bytes(keys), all);
    graph.read(key);
    graph.read(all);
  } else {
    const all = graph.result(bytes(widths.query), input);
    const gated = widths.query >= 2 * widths.attended;
    query = gated ? graph.result(bytes(widths.attended), all) : graph.inPlace(bytes(widths.query), all);
    const value = graph.result(bytes(values), input);
    const key = graph.result(bytes(keys), input);
    graph.read(key);
    graph.read(value);
    if (gated) {
      const gate = graph.result(bytes(widths.attended), all);
      const attended = addSoftmax(graph, query, widths, cache, mask, run, widths.attention);
      const product = graph.inPlace(
        bytes(widths.attention),
        attended,
        graph.inPlace(bytes(widths.attended), gate),
      );
      return graph.result(bytes(widths.hidden), product);
    }
  }
  return graph.result(
    bytes(widths.hidden),
    addSoftmax(graph, query, widths, cache, mask, run, widths.attention),
  );
}

/** Queries against keys, softmax, times values; with flash attention in one step. */
function addSoftmax(
  graph: Graph,
  query: GraphValue,
  widths: BlockWidths,
  cache: LayerCache | undefined,
  mask: GraphValue,
  run: GraphRun,
  resultWidth: number,
): GraphValue {
  const result = resultWidth * run.tokens * F32;
  if (run.flashAttention) {
    return graph.result(result + (cache === undefined ? 0 : run.scratch(cache)), query, mask);
  }
  const cells = cache === undefined ? 0 : run.cells(cache);
  const scores = graph.result(widths.heads * run.tokens * cells * F32, query);
  const softmax = graph.inPlace(widths.heads * run.tokens * cells * F32, scores, mask);
  return graph.result(result, graph.result(result, softmax));
}

/**
 * Attention over a latent: each head's query is absorbed into the latent's width, and the result is taken back from it.
 * Source: build_attn_mha and the graphs of models/deepseek2.cpp and deepseek32.cpp.
 */
function addLatentAttention(
  graph: Graph,
  input: GraphValue,
  widths: BlockWidths,
  cache: LatentCache,
  mask: GraphValue,
  run: GraphRun,
): GraphValue {
  const bytes = (width: number): number => width * run.tokens * F32;
  if (cache.indexer > 0) graph.read(graph.result(bytes(cache.indexer), input));
  const ranked = widths.queryRank > 0 ? graph.result(bytes(widths.queryRank), input) : input;
  const query = graph.result(bytes(widths.query), ranked);
  const absorbed = graph.result(bytes(widths.heads * cache.rank), query);
  const roped = graph.result(bytes(widths.heads * cache.rope), query);
  const joined = graph.result(bytes(widths.heads * (cache.rank + cache.rope)), absorbed, roped);
  const latent = graph.result(bytes(cache.rank + cache.rope), input);
  const compressed = graph.result(bytes(cache.rank), latent);
  const position = graph.result(bytes(cache.rope), latent);
  graph.read(graph.result(bytes(cache.rank + cache.rope), compressed, position));
  const chosen = cache.indexer > 0 ? addIndexer(graph, input, ranked, widths, cache, mask, run) : mask;
  const attended = addSoftmax(graph, joined, widths, cache, chosen, run, widths.heads * cache.rank);
  const values = graph.result(bytes(widths.attention), attended);
  return graph.result(bytes(widths.hidden), graph.result(bytes(widths.attention), values));
}

type LatentCache = LayerCache & { readonly kind: "latent" };

/** Tokens that an indexer lets a query attend to, in all models that have one. */
export const INDEXER_CHOICE = 2048;

/** The mask of the tokens that score best for each query. Source: the graph of models/deepseek32.cpp. */
function addIndexer(
  graph: Graph,
  input: GraphValue,
  ranked: GraphValue,
  widths: BlockWidths,
  cache: LatentCache,
  mask: GraphValue,
  run: GraphRun,
): GraphValue {
  const bytes = (width: number): number => width * run.tokens * F32;
  const cells = run.cells(cache);
  const choice = Math.min(INDEXER_CHOICE, cells);
  const maskBytes = cells * run.tokens * (run.flashAttention ? 2 : F32);
  const query = graph.inPlace(bytes(widths.indexerQuery), graph.result(bytes(widths.indexerQuery), ranked));
  const turned = graph.result(bytes(widths.indexerQuery), query);
  const weights = graph.result(bytes(widths.indexerHeads), input);
  const scores = graph.result(bytes(cells), turned, weights, mask);
  const best = graph.result(bytes(choice), graph.result(bytes(choice), scores));
  const closed = graph.result(maskBytes);
  graph.read(best);
  return graph.inPlace(maskBytes, closed, mask);
}

/** Adds a recurrent mixer: projection, convolution over its last inputs, scan over the state. */
export function addMixer(
  graph: Graph,
  input: GraphValue,
  widths: BlockWidths,
  state: LayerCache & { readonly kind: "state" },
  run: GraphRun,
): GraphValue {
  const bytes = (width: number): number => width * run.tokens * F32;
  const inner = bytes(widths.mixerInner);
  const convolved = bytes(Math.max(widths.mixerInner, widths.mixerInput - widths.mixerInner));
  const states = state.recurrent * run.sequences * F32;
  const projected = graph.result(bytes(widths.mixerInput), input);
  const window = graph.result(convolved + state.convolution * run.sequences * F32, projected);
  const mixed = graph.inPlace(convolved, graph.result(convolved, window));
  const scanned = graph.result(inner + states, mixed);
  graph.read(scanned);
  const result = graph.result(inner, scanned, mixed);
  const gate = graph.result(inner, projected);
  const product = graph.result(inner, gate, result);
  return graph.result(bytes(widths.hidden), product);
}

/** Adds the feed-forward part of one block, dense or routed. */
export function addFeedForward(
  graph: Graph,
  input: GraphValue,
  widths: BlockWidths,
  tokens: number,
): GraphValue {
  const bytes = (width: number): number => width * tokens * F32;
  if (widths.experts === 0) return addDense(graph, input, widths.feedForward, widths, tokens);
  const routed = addExperts(graph, input, widths, tokens);
  if (widths.sharedWidth === 0) return routed;
  const shared = addDense(graph, input, widths.sharedWidth, widths, tokens);
  return graph.inPlace(bytes(widths.hidden), routed, shared);
}

function addDense(
  graph: Graph,
  input: GraphValue,
  width: number,
  widths: BlockWidths,
  tokens: number,
): GraphValue {
  const bytes = width * tokens * F32;
  const down = widths.hidden * tokens * F32;
  if (widths.fusedGate) return graph.result(down, graph.result(bytes, graph.result(2 * bytes, input)));
  const up = graph.result(bytes, input);
  const active = widths.gated
    ? graph.result(bytes, graph.result(bytes, input), up)
    : graph.inPlace(bytes, up);
  return graph.result(down, active);
}

/** Source: build_moe_ffn in llama-graph.cpp. */
function addExperts(graph: Graph, input: GraphValue, widths: BlockWidths, tokens: number): GraphValue {
  const bytes = (width: number): number => width * tokens * F32;
  const scores = graph.result(bytes(widths.experts), input);
  const probabilities = graph.inPlace(bytes(widths.experts), scores);
  const chosen = graph.result(bytes(widths.experts), probabilities);
  const weights = graph.result(bytes(widths.expertsUsed), probabilities, chosen);
  const width = bytes(widths.expertsUsed * widths.expertWidth);
  const gate = graph.result(width, input, chosen);
  const up = graph.result(width, input, chosen);
  const active = graph.result(width, gate, up);
  const down = graph.result(bytes(widths.expertsUsed * widths.hidden), active, chosen);
  const weighted = graph.inPlace(bytes(widths.expertsUsed * widths.hidden), down, weights);
  return graph.result(bytes(widths.hidden), weighted);
}
