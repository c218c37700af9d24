/**
 * Store: what a node remembers in its state folder, in SQLite: events, the history of cards and machine, what engines
 * really took, keys and their usage; all of it bounded by retention. It also says which process owns the folder. Everything
 * in it survives a SIGKILL and can be read from other processes meanwhile. Keys, limits and usage may lie in a PostgreSQL
 * instead, which several gateways share.
 * Never here: what an event means, or any decision.
 */
export { keepBenchRun, readBenchRuns } from "./bench-table.ts";
export type { BenchKey, BenchRow, NewBenchRow } from "./bench-table.ts";
export { dropContents, openContents } from "./content-table.ts";
export type { Contents, KeptContent } from "./content-table.ts";
export { readEvents } from "./event-reader.ts";
export { openMcpBook } from "./mcp-book.ts";
export type { AuditRow, McpBook, PinRow } from "./mcp-book.ts";
export { readMeasurements } from "./measurement-reader.ts";
export type { Measurement, NewMeasurement } from "./measurement.ts";
export type { Measurements } from "./measurement-table.ts";
export { isLocked, takeLock } from "./kernel-lock.ts";
export { isFolderLocked } from "./node-lock.ts";
export { readNodeRecord, readRecordFile } from "./node-record.ts";
export { openRequests } from "./open-requests.ts";
export type { Requests } from "./open-requests.ts";
export type { RequestRow } from "./request-row.ts";
export type { ResponseBounds } from "./response-bounds.ts";
export { openResponses } from "./response-table.ts";
export type { StoredResponses } from "./response-table.ts";
export { lockRunbook, openRunbookBook } from "./runbook-book.ts";
export type { RunbookBook } from "./runbook-book.ts";
export { readJournalInSlices, readRuns } from "./journal-slices.ts";
export { isRunbookLocked, readRunbook } from "./runbook-reader.ts";
export type { JournaledRun } from "./runbook-reader.ts";
export type { JournalRow, RunRow } from "./runbook-row.ts";
export { watchRuns } from "./run-watch.ts";
export type { SampleHistory } from "./sample-table.ts";
export type { SampledReading } from "./sampled.ts";
export { openStore, type Store } from "./store.ts";
export { openSwitches } from "./switch-table.ts";
export type { SwitchTable } from "./switch-table.ts";
