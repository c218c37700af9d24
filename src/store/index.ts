/**
 * Store: what a node remembers in its state folder, in SQLite: events now, bounded by retention. It also says which
 * process owns the folder. Everything in it survives a SIGKILL and can be read from other processes meanwhile.
 * Never here: what an event means, or any decision.
 */
export { readEvents } from "./event-reader.ts";
export { readNodeRecord } from "./node-record.ts";
export { openStore, type Store } from "./store.ts";
