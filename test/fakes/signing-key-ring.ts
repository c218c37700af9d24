import { randomUUID } from "node:crypto";

import { exportJWK, generateKeyPair, SignJWT } from "jose";
import type { GenerateKeyPairResult, JWK } from "jose";

interface RingKey {
  readonly kid: string;
  readonly alg: string;
  readonly pair: GenerateKeyPairResult;
  readonly public: JWK;
}

/** The signing keys of an issuer: the last one signs, those that are not retired are published. */
export class SigningKeyRing {
  #keys: RingKey[] = [];

  static async create(): Promise<SigningKeyRing> {
    const ring = new SigningKeyRing();
    await ring.add();
    return ring;
  }

  /** Adds a key that signs from now on. */
  async add(alg = "ES256", kid: string = randomUUID()): Promise<void> {
    const pair = await generateKeyPair(alg, { extractable: true });
    this.#keys.push({ kid, alg, pair, public: await exportJWK(pair.publicKey) });
  }

  /** Takes all keys out of use but the one that signs. */
  retire(): void {
    this.#keys = this.#keys.slice(-1);
  }

  published(): { readonly keys: readonly JWK[] } {
    return { keys: this.#keys.map((key) => ({ ...key.public, kid: key.kid, alg: key.alg, use: "sig" })) };
  }

  /** Signs with the key in use; `header` replaces members, and one of `undefined` is left out. */
  async sign(claims: Record<string, unknown>, header: Record<string, unknown> = {}): Promise<string> {
    const key = this.#keys.at(-1);
    if (key === undefined) throw new Error("no key");
    const said = defined({ alg: key.alg, kid: key.kid, typ: "at+jwt", ...header });
    return await new SignJWT(defined(claims))
      .setProtectedHeader({ ...said, alg: key.alg })
      .sign(key.pair.privateKey);
  }
}

const defined = (given: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
