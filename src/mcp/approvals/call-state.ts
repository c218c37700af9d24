import { createHmac, hash, randomBytes, timingSafeEqual } from "node:crypto";
import { ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";
import { z } from "zod";
import { canonical } from "../pins/definition.ts";

/** Characters of a state that is looked at. */
const MOST_STATE = 512 * 1024;
/** Approvals that were used and whose states could still come again; beyond, no approval of a client's is taken. */
const MOST_USED = 50_000;
const VERSION = "o1";

/** What a state is good for: this one request of this one caller. */
export interface Binding {
  readonly key: string;
  readonly method: string;
  readonly server: string;
  /** Own name of the tool or prompt, or own address. */
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

const stateSchema = z.strictObject({
  /** `ask`: the client's person was asked to approve. `run`: the server asked for something. */
  stage: z.enum(["ask", "run"]),
  id: z.string(),
  expires: z.number(),
  /** Who approved the call, where that was needed. */
  by: z.string().optional(),
  /** The server's own state. */
  inner: z.string().optional(),
});

export type CallState = Readonly<z.infer<typeof stateSchema>>;

/**
 * States that travel through clients: sealed by HMAC-SHA256 over their text and what they are good for. They hold no secret:
 * a client may read them, but not make or change one, nor use one for anything else or later. One that holds an approval
 * is good for one use.
 */
export class CallStates {
  readonly #secret: Buffer;
  readonly #now: () => number;
  readonly #used = new Map<string, number>();

  constructor(secret: Buffer | undefined, now: () => number) {
    this.#secret = secret ?? randomBytes(32);
    this.#now = now;
  }

  seal(state: Omit<CallState, "id"> & { readonly id?: string }, binding: Binding): string {
    const whole = { ...state, id: state.id ?? randomBytes(16).toString("base64url") };
    const text = Buffer.from(JSON.stringify(whole)).toString("base64url");
    return `${VERSION}.${text}.${this.#mac(text, binding)}`;
  }

  /** Throws `ProtocolError` -32602 for what is not a state of this request, whatever the reason. */
  open(sealed: string, binding: Binding): CallState {
    const [version, text, mac, ...rest] = sealed.length > MOST_STATE ? [] : sealed.split(".");
    if (version !== VERSION || text === undefined || mac === undefined || rest.length > 0) throw invalid();
    // As texts: more than one text decodes to the same bytes.
    const given = Buffer.from(mac);
    const right = Buffer.from(this.#mac(text, binding));
    if (given.length !== right.length || !timingSafeEqual(given, right)) throw invalid();
    const state = stateSchema.safeParse(JSON.parse(Buffer.from(text, "base64url").toString()));
    if (!state.success || state.data.expires <= this.#now()) throw invalid();
    return state.data;
  }

  /** Uses up a state that holds an approval, or the answer to its question. Throws as `open` does when it was used before. */
  use({ id, expires }: CallState): void {
    const now = this.#now();
    if (this.#used.has(id)) throw invalid();
    if (this.#used.size >= MOST_USED) {
      for (const [used, until] of this.#used) if (until <= now) this.#used.delete(used);
      if (this.#used.size >= MOST_USED) throw invalid();
    }
    this.#used.set(id, expires);
  }

  #mac(text: string, { key, method, server, name, args }: Binding): string {
    const digest = hash("sha256", canonical(args));
    return createHmac("sha256", this.#secret)
      .update(JSON.stringify([VERSION, key, method, server, name, digest, text]))
      .digest("base64url");
  }
}

const invalid = (): ProtocolError =>
  new ProtocolError(
    ProtocolErrorCode.InvalidParams,
    "Invalid or expired requestState. Make the request again without it.",
  );
