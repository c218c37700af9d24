import { GIB } from "../../core/index.ts";
import type { EngineTook } from "../engine.ts";
import { DeviceTally } from "./device-tally.ts";

/** `Load weight end. [elapsed=6.21 s, ]type=…, avail mem=76.05 GB, mem usage=2.33 GB.` Its GB are GiB. */
const WEIGHTS = /Load weight end\.(?: elapsed=([\d.]+) s,)?[^\n]{0,300}?mem usage=([\d.]+) GB/;
const LOADING = /Loading weights took ([\d.]+) seconds/;
/** `KV Cache is allocated. #tokens: 367404, K size: 8.23 GB, V size: 8.23 GB`, or one size for both. */
const KV =
  /KV Cache is allocated\.[^\n]{0,100}?#tokens: (\d+), (?:KV size: ([\d.]+) GB|K size: ([\d.]+) GB, V size: ([\d.]+) GB)/;
const GRAPHS = /Capture (?:\w+ )?cuda graph end\.[^\n]{0,100}?mem usage=([\d.]+) GB/;
const TOKENS = /max_total_num_tokens=(\d+)/;
/** `[2025-11-10 19:59:09 PP1 TP0]`. */
const RANK = /^\[[\d-]+ [\d:.]+((?: (?:DP|PP|TP|EP|ATTN_\w+)\d+)+)\]/;

/** What SGLang took, by card in the order of its ranks; KTransformers tells the same of its cards. */
export function sglangTook(lines: readonly string[]): EngineTook {
  const telling = lines.filter((line) =>
    /mem usage=|KV Cache is allocated|max_total_num_tokens|Loading weights took/.test(line),
  );
  const ranks = [...new Set(telling.map(rankOf))].filter((rank) => rank !== "").toSorted();
  const tally = new DeviceTally();
  let kvTokens: number | undefined;
  let loadTime: number | undefined;
  for (const line of telling) {
    const card = `cuda:${Math.max(0, ranks.indexOf(rankOf(line)))}`;
    const weights = WEIGHTS.exec(line);
    if (weights !== null) tally.set(card, "weights", Number(weights[2]) * GIB);
    const seconds = weights?.[1] ?? LOADING.exec(line)?.[1];
    if (seconds !== undefined) loadTime = Math.max(loadTime ?? 0, Math.round(Number(seconds) * 1000));
    const kv = KV.exec(line);
    // Models with windows have a pool for either kind of layer.
    if (kv !== null) tally.add(card, "kvCache", Number(kv[2] ?? Number(kv[3]) + Number(kv[4])) * GIB);
    const graphs = GRAPHS.exec(line)?.[1];
    if (graphs !== undefined) tally.add(card, "compute", Number(graphs) * GIB);
    const tokens = TOKENS.exec(line)?.[1] ?? (kvTokens === undefined ? kv?.[1] : undefined);
    if (tokens !== undefined) kvTokens = Number(tokens);
  }
  return {
    devices: tally.devices(),
    ...(kvTokens === undefined ? {} : { kvTokens }),
    ...(loadTime === undefined ? {} : { loadTime }),
  };
}

const rankOf = (line: string): string =>
  (RANK.exec(line)?.[1] ?? "").replaceAll(/\d+/g, (digits) => digits.padStart(4, "0"));
