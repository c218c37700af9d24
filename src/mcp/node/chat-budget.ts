/** What chats that tools ask may take, by key; the key's own limits hold beside it. */
export interface ChatBudgetBounds {
  /** Tokens of an answer where a call names none. */
  readonly usualTokens: number;
  /** Tokens of an answer at most. */
  readonly mostTokens: number;
  /** Chats of one key at the same time. */
  readonly running: number;
  /** Tokens of one key in a minute, prompt and answer. */
  readonly tokensPerMinute: number;
}

export const CHAT_BUDGET: ChatBudgetBounds = {
  usualTokens: 1024,
  mostTokens: 8192,
  running: 4,
  tokensPerMinute: 60_000,
};

/** The right to ask once; `settle` is called once, with the tokens that were really taken. */
export interface ChatPlace {
  settle(tokens: number, now: number): void;
}

interface Account {
  running: number;
  /** Tokens that may be taken at `at`; below zero after an answer that took more than was reserved. */
  left: number;
  at: number;
}

const MINUTE = 60_000;
/** Full accounts are dropped when there are more. */
const MOST_ACCOUNTS = 1000;

/**
 * Counts what chats take by key: a bucket that a minute fills, and chats at a time. It has no clock; `now` is milliseconds on
 * one that never goes back.
 */
export class ChatBudget {
  readonly #bounds: ChatBudgetBounds;
  readonly #accounts = new Map<string, Account>();

  constructor(bounds: ChatBudgetBounds) {
    this.#bounds = bounds;
  }

  /** A place for a chat that may take so many tokens, or why there is none and what to do. */
  enter(key: string, tokens: number, now: number): ChatPlace | string {
    const { running, tokensPerMinute } = this.#bounds;
    if (tokens > tokensPerMinute) {
      return `A chat of up to ${tokens} tokens (prompt and max_tokens) is more than the ${tokensPerMinute} tokens a minute that chats over tools may take. Ask for less.`;
    }
    const account = this.#account(key, now);
    if (account.running >= running) {
      return `${running} chats over tools are running for key "${key}", as many as may at a time. Ask again when one has ended.`;
    }
    if (tokens > account.left) {
      const wait = Math.ceil(((tokens - account.left) * MINUTE) / tokensPerMinute / 1000);
      return `Key "${key}" has ${Math.max(0, Math.floor(account.left))} of ${tokensPerMinute} tokens a minute left for chats over tools, and this one may take ${tokens}. Ask again in ${wait} s, or for less.`;
    }
    account.running++;
    account.left -= tokens;
    let settled = false;
    return {
      settle: (took, later) => {
        if (settled) return;
        settled = true;
        const current = this.#account(key, later);
        current.running--;
        current.left = Math.min(tokensPerMinute, current.left + tokens - took);
      },
    };
  }

  #account(key: string, now: number): Account {
    const { tokensPerMinute } = this.#bounds;
    const known = this.#accounts.get(key);
    if (known === undefined) {
      if (this.#accounts.size >= MOST_ACCOUNTS) this.#dropIdle(now);
      const fresh = { running: 0, left: tokensPerMinute, at: now };
      this.#accounts.set(key, fresh);
      return fresh;
    }
    known.left = Math.min(tokensPerMinute, known.left + ((now - known.at) * tokensPerMinute) / MINUTE);
    known.at = now;
    return known;
  }

  #dropIdle(now: number): void {
    for (const [key, { running, at }] of this.#accounts) {
      if (running === 0 && now - at >= MINUTE) this.#accounts.delete(key);
    }
  }
}
