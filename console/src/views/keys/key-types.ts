import type { Answer, Body } from "../../../../src/api/contract/index.ts";

export type Key = Answer<"GET /api/keys">["keys"][number];
export type NewKey = Body<"POST /api/keys">;
export type MadeKey = Answer<"POST /api/keys">;
export type UsageRow = Answer<"GET /api/usage">["usage"][number];
