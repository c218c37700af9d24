import type { IncomingHttpHeaders } from "node:http";

import type { RequestBody, RequestHead } from "./request-head.ts";
import type { PlainHead } from "./plain-request-head.ts";

const LINGER_TIME = 2_000;
/** So much of a body that nobody asked for yet is read ahead. */
const READ_AHEAD = 65_536;

/** The connection that a request's body comes from. */
export interface BodySource {
  /** Bytes of all answers so far. */
  readonly bytesWritten: number;
  readMore(): void;
  readLater(): void;
  destroy(): void;
}

/** Why bytes of the body are taken: nobody asked yet, somebody did, or nobody will. */
type Purpose = "ahead" | "wanted" | "discarded";

/** A request that the plain side read, and its body. */
export class PlainRequest implements RequestHead, RequestBody {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly kin: object;
  readonly socket: BodySource;
  readonly #length: number;
  #missing: number;
  #first: Buffer | undefined;
  #rest: Buffer[] | undefined;
  #purpose: Purpose = "ahead";
  #then: ((body: Buffer) => void) | undefined;
  /** How many more bytes may be thrown away. */
  #left = Number.POSITIVE_INFINITY;
  #done: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(head: PlainHead, source: BodySource) {
    this.url = head.url;
    this.headers = head.headers;
    this.kin = head.kin;
    this.socket = source;
    this.#length = head.length;
    this.#missing = head.length;
  }

  get method(): "POST" {
    return "POST";
  }

  /** All of the body came. */
  get complete(): boolean {
    return this.#missing === 0;
  }

  /** Takes what of `bytes` belongs to the body; returns how many bytes that are. */
  take(bytes: Buffer): number {
    const taken = Math.min(bytes.length, this.#missing);
    if (taken === 0) return 0;
    this.#missing -= taken;
    if (this.#purpose === "discarded") this.#discarded(taken);
    else {
      const part = taken === bytes.length ? bytes : bytes.subarray(0, taken);
      if (this.#first === undefined) this.#first = part;
      else (this.#rest ??= [this.#first]).push(part);
      if (this.#missing === 0) this.#whole();
      else if (this.#purpose === "ahead" && this.#length - this.#missing > READ_AHEAD)
        this.socket.readLater();
    }
    return taken;
  }

  read(limit: number, then: (body: Buffer) => void, tooLarge: () => void): void {
    if (this.#length > limit) {
      tooLarge();
      return;
    }
    this.#purpose = "wanted";
    this.#then = then;
    if (this.#missing === 0) this.#whole();
    else this.socket.readMore();
  }

  discard(most: number, done: () => void): void {
    this.#forget();
    this.#purpose = "discarded";
    if (this.#missing === 0) {
      done();
      return;
    }
    this.#left = most;
    this.#done = done;
    this.#timer = setTimeout(() => this.socket.destroy(), LINGER_TIME);
    this.socket.readMore();
  }

  /** Its answer is out: what is still to come of it is of no use to anyone. */
  dump(): void {
    if (this.#purpose === "discarded") return;
    this.#forget();
    this.#purpose = "discarded";
    if (this.#missing > 0) this.socket.readMore();
  }

  /** Nothing more will come. */
  drop(): void {
    clearTimeout(this.#timer);
    this.#forget();
    this.#done = undefined;
  }

  #discarded(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) this.socket.destroy();
    else if (this.#missing === 0) {
      clearTimeout(this.#timer);
      this.#done?.();
      this.#done = undefined;
    }
  }

  #whole(): void {
    const then = this.#then;
    if (then === undefined) return;
    const body =
      this.#rest === undefined ? (this.#first ?? Buffer.alloc(0)) : Buffer.concat(this.#rest, this.#length);
    this.#forget();
    then(body);
  }

  #forget(): void {
    this.#then = undefined;
    this.#first = undefined;
    this.#rest = undefined;
  }
}
