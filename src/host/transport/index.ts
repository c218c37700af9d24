export type { CommandResult, HostCommand, HostTransport, WriteOptions } from "./transport.ts";
