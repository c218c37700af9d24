/**
 * The contract of `/api`: what can be asked and what is answered, as schemas and the types that follow from them. It is all
 * that the console knows of the node.
 * Never here: how an answer is made, and anything that opens a file or a socket.
 */
export type { Answer, Body, OperationName, Query } from "./operations.ts";
export { OPERATIONS } from "./operations.ts";
export type { StreamEvents, StreamTopic } from "./stream-schema.ts";
export { STREAM_EVENTS } from "./stream-schema.ts";
