/**
 * Store: what a node remembers in its state folder, in SQLite: events now, bounded by retention. It also says which
 * process owns the folder. Everything in it survives a SIGKILL and can be read from other processes meanwhile.
 * Never here: what an event means, or any decision.
 */
export { readEvents, type EventQuery } from "./event-reader.ts";
export { readNodeRecord, type NodeRecord } from "./node-record.ts";
export { RETENTION, type Retention } from "./retention.ts";
export { openStore, type Store, type StoreOptions } from "./store.ts";
