import { createKeyGate } from "../../src/keys/create-key-gate.ts";
import { digestOf } from "../../src/keys/index.ts";
import type { Caller, KeyGate } from "../../src/keys/index.ts";
import { KeyRoll } from "../../src/keys/key-roll.ts";
import { LocalLimits } from "../../src/keys/limits/local-limits.ts";

/** The real gate over these secrets, each with what its key may do beside the usual. */
export function keyGateOf(secrets: Readonly<Record<string, Partial<Caller>>>): KeyGate {
  const roll = new KeyRoll();
  const keys = Object.entries(secrets).map(([secret, may], index) => ({
    caller: { key: `key-${index}`, admin: true, upstream: false, priority: 5, ...may },
    digests: [{ digest: digestOf(secret) }],
  }));
  roll.set(keys, true);
  return createKeyGate({ roll, limits: new LocalLimits() });
}
