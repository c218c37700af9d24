/**
 * Engines: what Omni knows about each kind of engine, one file a kind: its command line from a placement, how its
 * health reads, and what its last words mean. Pure knowledge; nothing here opens a socket or starts a process.
 */
export { findEngineDriver } from "./drivers/find-engine-driver.ts";
export { embeddedCommand } from "./embedded.ts";
export { findEngineStarter } from "./start/find-engine-starter.ts";
export { tritonModelArguments } from "./start/triton-vllm.ts";
export type { EngineDialect, EngineSurface } from "./surface.ts";
export { surfaceOf } from "./surfaces/surface-of.ts";
export {
  notForTriton,
  tritonCompletion,
  TritonCompletionStream,
  tritonGeneratePath,
  tritonGenerateRequest,
} from "./surfaces/triton-generate.ts";
