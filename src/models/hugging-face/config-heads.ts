import type { TextConfig } from "./config.ts";

/** Width of queries, keys and values as config.json gives them. */
interface ConfigHeads {
  readonly hidden: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly length: number;
}

/** Heads by whichever name config.json gives them; 0 where it names none. */
export function headsOf(text: TextConfig): ConfigHeads {
  const hidden = text.hidden_size ?? text.n_embd ?? text.d_model ?? 0;
  const heads = text.num_attention_heads ?? text.n_head ?? 0;
  const kvHeads = text.num_key_value_heads ?? text.num_kv_heads ?? (text.multi_query === true ? 1 : heads);
  const length = text.head_dim ?? text.attention_head_dim ?? (heads === 0 ? 0 : Math.floor(hidden / heads));
  return { hidden, heads, kvHeads, length };
}
