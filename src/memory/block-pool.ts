/** What one layer of one rank keeps, in bytes. */
export type LayerKeep =
  | { readonly kind: "full"; readonly tokenBytes: number }
  | { readonly kind: "window"; readonly tokenBytes: number; readonly window: number }
  | { readonly kind: "state"; readonly bytes: number };

/** How an engine hands out KV cache on one rank: blocks of equal size, one page in every layer of a group. */
export interface BlockPool {
  /** Bytes of one block over all layers that share it; 0 when nothing is kept. */
  readonly blockBytes: number;
  /** Blocks that one request of so many tokens takes. */
  perRequest(contextTokens: number): number;
}

/** Groups of layers that differ less than this in number are padded to the larger instead of split into the smaller. */
const GROUP_TOLERANCE = 1.25;

/**
 * The block pool of vLLM (`kv_cache_utils.py`). Layers of one type share one block table: a block is one page of every
 * layer. Layers of several types are cut into groups of equal size that share one pool, so a block is one page of one
 * group; pages are made equal by giving layers with few bytes a token more tokens a block, and a recurrent state takes one
 * page of at least its size. `batchTokens` are the tokens of one step, which a sliding window keeps beside itself.
 */
export function blockPool(keeps: readonly LayerKeep[], blockTokens: number, batchTokens: number): BlockPool {
  if (keeps.every((keep) => keep.kind === "full")) {
    const tokenBytes = keeps.reduce((sum, keep) => sum + keep.tokenBytes, 0);
    return {
      blockBytes: tokenBytes * blockTokens,
      perRequest: (context) => Math.ceil(context / blockTokens),
    };
  }
  return groupedPool(keeps, blockTokens, batchTokens);
}

function groupedPool(keeps: readonly LayerKeep[], blockTokens: number, batchTokens: number): BlockPool {
  const types = new Map<string, { readonly keep: LayerKeep; count: number }>();
  for (const keep of keeps) {
    const name = JSON.stringify(keep);
    const type = types.get(name);
    if (type === undefined) types.set(name, { keep, count: 1 });
    else type.count++;
  }
  const page = pageBytes(keeps, blockTokens);
  const size = groupSize([...types.values()].map((type) => type.count));
  return {
    blockBytes: page * size,
    perRequest: (context) => {
      let blocks = 0;
      for (const { keep, count } of types.values())
        blocks += Math.ceil(count / size) * pagesPerRequest(keep, page, blockTokens, batchTokens, context);
      return blocks;
    },
  };
}

/** One page for all: as large as the largest layer's block, enlarged by whole blocks until a state fits into it. */
function pageBytes(keeps: readonly LayerKeep[], blockTokens: number): number {
  const token = Math.max(0, ...keeps.map((keep) => (keep.kind === "state" ? 0 : keep.tokenBytes)));
  const state = Math.max(0, ...keeps.map((keep) => (keep.kind === "state" ? keep.bytes : 0)));
  if (token === 0) return state;
  return Math.max(1, Math.ceil(state / (token * blockTokens))) * token * blockTokens;
}

function pagesPerRequest(
  keep: LayerKeep,
  page: number,
  blockTokens: number,
  batchTokens: number,
  context: number,
): number {
  if (keep.kind === "state") return 1;
  const tokens = Math.max(blockTokens, Math.floor(page / keep.tokenBytes / blockTokens) * blockTokens);
  if (keep.kind === "full") return Math.ceil(context / tokens);
  return Math.ceil(Math.min(keep.window - 1 + batchTokens, context) / tokens) + 1;
}

function groupSize(counts: readonly number[]): number {
  const fewest = Math.min(...counts);
  const most = Math.max(...counts);
  return most < fewest * GROUP_TOLERANCE ? most : fewest;
}
