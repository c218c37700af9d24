/** Limits of one key; what is absent is not limited. Tokens are those of prompt and answer together. */
export interface KeyLimits {
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
  readonly tokensPerDay?: number;
  readonly tokensPerMonth?: number;
  /** Requests at the same time. */
  readonly concurrent?: number;
}

/** Who asks, and what that one may do. The secret itself is not in it. */
export interface Caller {
  /** Name of the key; `local` for everyone on a node without keys. */
  readonly key: string;
  /** May change the node. */
  readonly admin: boolean;
  /** May use engines' own endpoints. */
  readonly upstream: boolean;
  /** 0 to 9; 9 waits least. */
  readonly priority: number;
  /** Routes, services or models it may use; all when absent. */
  readonly routes?: readonly string[];
  /** MCP servers, or tools as `server__tool` globs; all when absent. */
  readonly tools?: readonly string[];
  readonly limits?: KeyLimits;
  /** Contents of its requests may be kept, where the node keeps any. */
  readonly content?: boolean;
}
