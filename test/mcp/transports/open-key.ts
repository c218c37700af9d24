import type { Caller } from "../../../src/keys/index.ts";

/** A caller that may use everything. */
export const openKey = (key: string): Caller => ({ key, admin: false, upstream: false, priority: 5 });
