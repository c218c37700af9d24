import type { Contents } from "../../store/index.ts";

/** Takes in what passes of one request. The buffers are kept, not copied: nobody may write into them any more. */
export interface ContentTee {
  /** Bytes of the client's body. */
  asked(bytes: Uint8Array): void;
  /** Bytes of the answer, as the client gets them. */
  answered(bytes: Uint8Array): void;
  /** The request has ended; later calls do nothing. */
  end(): void;
}

/** Whose contents are kept: both the node and the key have to say so. */
export interface ContentKeeper {
  /** `undefined` where nothing is kept of this caller: then nothing has to be called. */
  begin(id: string, caller: { readonly key: string; readonly content?: boolean }): ContentTee | undefined;
}

/** Bytes that are kept of a request and of an answer at most; of what is longer the beginning. */
const MOST = 1024 * 1024;

/** Where no contents are kept. */
export const KEEPS_NOTHING: ContentKeeper = { begin: () => undefined };

/** Keeps contents of callers whose key allows it. */
export function createContentKeeper(contents: Pick<Contents, "put">): ContentKeeper {
  return {
    begin(id, caller) {
      if (caller.content !== true) return undefined;
      const time = Date.now();
      const request = new Beginning();
      const answer = new Beginning();
      let over = false;
      return {
        asked: (bytes) => request.add(bytes),
        answered: (bytes) => answer.add(bytes),
        end(): void {
          if (over) return;
          over = true;
          const whole = request.whole && answer.whole;
          contents.put({ id, time, key: caller.key, request: request.take(), answer: answer.take(), whole });
        },
      };
    },
  };
}

/** The first bytes of something that may be long. */
class Beginning {
  whole = true;
  #parts: Uint8Array[] = [];
  #bytes = 0;

  add(bytes: Uint8Array): void {
    const left = MOST - this.#bytes;
    if (bytes.length > left) this.whole = false;
    if (left <= 0) return;
    const part = bytes.length > left ? bytes.subarray(0, left) : bytes;
    this.#parts.push(part);
    this.#bytes += part.length;
  }

  take(): Uint8Array {
    const all = Buffer.concat(this.#parts);
    this.#parts = [];
    return all;
  }
}
