/**
 * Acceptance: a node or any server of the OpenAI dialect, asked as a client would and measured: its health, one whole
 * answer, speeds alone and under load, long prompts, its tools, and whether a service's network keeps it in. Never here:
 * what is printed, what is kept, and which host a probe runs on.
 */
export { openClient } from "./client.ts";
export type { AcceptanceClient } from "./client.ts";
export { compareNumbers } from "./compare.ts";
export type { Change } from "./compare.ts";
export { health } from "./health.ts";
export type { Health } from "./health.ts";
export { CONTROL, judgeIsolation, probeScript, readProbe } from "./isolation.ts";
export type { IsolationVerdict, ProbeTarget } from "./isolation.ts";
export { measureRoute } from "./measure-route.ts";
export type { BenchSettings, RouteNumbers } from "./measure-route.ts";
export { nodeHardware, nodeStatus } from "./node-view.ts";
export type { NodeStatus, ServiceSeen } from "./node-view.ts";
export { oneCompletion } from "./one-completion.ts";
export type { Completion } from "./one-completion.ts";
export type { LevelNumbers } from "./concurrency.ts";
export type { Spread } from "./statistics.ts";
export { taskOf } from "./task.ts";
export type { Task } from "./task.ts";
export { toolCalls } from "./tool-call.ts";
export type { ToolCheck } from "./tool-call.ts";
