/** Limits of one key; what is absent is not limited. Tokens are those of prompt and answer together. */
export interface KeyLimits {
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
  readonly tokensPerDay?: number;
  readonly tokensPerMonth?: number;
  /** Requests at the same time. */
  readonly concurrent?: number;
}

/** What a key may do with MCP servers, beside which of them. */
export interface McpRules {
  /** Only tools that say that they change nothing. */
  readonly readOnly?: boolean;
  /** Globs over the resources' addresses as clients see them; all when absent. */
  readonly resources?: readonly string[];
  /** Globs that arguments must match, by glob over `server__tool` and name of the argument. */
  readonly arguments?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly callsPerMinute?: number;
}

/** Who asks, and what that one may do. The secret itself is not in it. */
export interface Caller {
  /**
   * Name of the key; `local` for everyone on a node without keys. `KEY:SUBJECT` for the bearer of an access token that has a
   * key's rights, so that limits, sessions and the audit tell its bearers apart; no key's own name holds a colon.
   */
  readonly key: string;
  /** Whom the issuer of an access token calls its bearer; absent for who shows a key. */
  readonly subject?: string;
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
  readonly mcp?: McpRules;
  readonly limits?: KeyLimits;
  /** Contents of its requests may be kept, where the node keeps any. */
  readonly content?: boolean;
}
