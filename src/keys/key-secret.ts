import { hash, randomInt } from "node:crypto";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** 43 characters of 62 carry 256 bits: 43 × log2 62 = 256.03. */
const LENGTH = 43;
const SHOWN = 5;
const MARK = "omni_";

/** A new secret: `omni_` and 256 random bits. The mark lets scanners of leaked secrets find it in what was published. */
export const newSecret = (): string =>
  MARK + Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");

/** How a secret begins, to recognise it by: 30 of its 256 bits. */
export const prefixOf = (secret: string): string => secret.slice(0, MARK.length + SHOWN);

/**
 * What is kept of a secret: its SHA-256, 64 hexadecimal digits. Slow, salted hashes guard passwords, which can be
 * guessed; 256 random bits cannot be, however fast the hash, and a slow one would be paid by every request.
 */
export const digestOf = (secret: string): string => hash("sha256", secret, "hex");
