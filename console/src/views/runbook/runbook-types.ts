import type { Answer } from "../../../../src/api/contract/index.ts";

export type RunDetail = Answer<"GET /api/runbooks/{spec}/{run}">;
export type Run = RunDetail["run"];
export type Step = RunDetail["steps"][number];
export type Command = Step["commands"][number];
