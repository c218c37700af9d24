import { createInterface } from "node:readline/promises";
import type { Consent } from "../../runbook/index.ts";
import type { Agreement } from "../../runbook/run/run-step.ts";
import { withoutControl } from "../terminal.ts";
import type { Terminal } from "../terminal.ts";

/** A question on the terminal; `undefined` where nobody can be asked. */
export type Ask = ((text: string, signal: AbortSignal) => Promise<string>) | undefined;

/** How questions are asked on this process' terminal. */
export function askOn(terminal: Terminal): Ask {
  if (!terminal.interactive || !process.stdin.isTTY) return undefined;
  return async (text, signal) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return (await lines.question(withoutControl(text), { signal })).trim();
    } finally {
      lines.close();
    }
  };
}

/** Who agrees to what: tokens of the command line, and answers at a terminal, where the object's own name is typed. */
export interface Consents {
  /** Asks about what no token agrees to; answers are kept. */
  ask(consent: Consent): Promise<void>;
  /** Throws nothing; `undefined` where nobody agreed to this very object. */
  given(consent: Consent): Agreement | undefined;
  /** Tokens that no step asked for. */
  unused(): readonly string[];
}

export function consentsOf(tokens: readonly string[], by: string, ask: Ask, signal: AbortSignal): Consents {
  const typed = new Set<string>();
  const used = new Set<string>();
  const given = ({ token }: Consent): Agreement | undefined => {
    if (tokens.includes(token)) {
      used.add(token);
      return { by, how: "option" };
    }
    return typed.has(token) ? { by, how: "typed" } : undefined;
  };
  return {
    given,
    ask: async (consent) => {
      if (ask === undefined || given(consent) !== undefined) return;
      const object = objectOf(consent.token);
      const answer = await ask(`${consent.text}\nType ${object} to agree: `, signal);
      if (answer === object) typed.add(consent.token);
    },
    unused: () => tokens.filter((token) => !used.has(token)),
  };
}

/** What stands behind the verb: `S7XXNJ0W123456` of `format:S7XXNJ0W123456`. */
const objectOf = (token: string): string => token.slice(token.indexOf(":") + 1);
