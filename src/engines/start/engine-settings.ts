import type { PlannedService } from "../../plan/plan.ts";

/** Everything about an engine's start that its memory was predicted with. */
export type EngineSettings = NonNullable<PlannedService["settings"]>;
/** Types of the KV cache by the names that the plan uses. */
export type KvType = EngineSettings["kvKeyType"];
