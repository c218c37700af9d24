/**
 * `GET /api/stream`: one stream of server-sent events for everything of the node that changes. It looks once for all who read.
 * Never here: what a service, a card or a run is; each is asked of the room that has it.
 */
export type { NodeStream } from "./node-stream.ts";
export { createNodeStream } from "./node-stream.ts";
export { openRunLook } from "./run-look.ts";
export type { StreamSources } from "./stream-sources.ts";
