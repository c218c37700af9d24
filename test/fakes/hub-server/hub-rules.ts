import type { Content } from "./content.ts";

/** A file of the hub. What it states of it can be a lie. */
export interface ServedFile {
  readonly path: string;
  readonly content: Content;
  /** Small files have the name that git gives them, large ones (the default) a SHA-256. */
  readonly small?: boolean;
  readonly stated?: { readonly hex?: string; readonly size?: number };
}

/** A place of a file at which an answer that passes over it is broken off, once. */
export interface Cut {
  readonly path: string;
  readonly offset: number;
  /** So many bytes before it are wrong, as where a proxy splices. */
  readonly garbage?: number;
}

/** Bytes that are wrong in the first answers that carry them. */
export interface Damage {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
  /** Answers in which they are wrong; 1 when absent. */
  times?: number;
}

/** How the hub behaves; may be changed while it runs. */
export interface HubRules {
  token?: string;
  /** Content-Digest with each answer (RFC 9530). */
  digests?: boolean;
  /** Content-MD5 with each answer. */
  md5?: boolean;
  cuts?: Cut[];
  damage?: Damage[];
  /** Bytes a second over all connections. */
  rate?: number;
  /** Answers that a signed address is good for; without end when absent. */
  uses?: number;
  /** Answers of the store that are 429 with this Retry-After, in seconds. */
  busy?: { answers: number; readonly retryAfter: string };
  ranges?: boolean;
  /** The store's answers are something else: a page, a compressed body, another range, one byte too few. */
  instead?: "page" | "gzip" | "other-range" | "short" | "other-size";
  /** So many answers are that; all when absent. */
  insteadOf?: number;
  /** In place of a listing: a status and an error code. */
  refusal?: { readonly status: number; readonly code?: string };
}
