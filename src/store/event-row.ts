import type { NodeEvent } from "../core/index.ts";
import { messageOf } from "../core/index.ts";

export const EVENT_COLUMNS = "seq, time, severity, kind, service, message, data";

type Row = Readonly<Record<string, unknown>>;

/** The row for an event, in the order of `EVENT_COLUMNS`. */
export function toRow(event: NodeEvent): (string | number | null)[] {
  const data = event.data === undefined ? null : jsonOf(event.data);
  const { seq, time, severity, kind, message } = event;
  return [seq, time, severity, kind, event.service ?? null, message, data];
}

/** What JSON cannot say (a cycle, a BigInt) must not keep the event itself out of the log. */
function jsonOf(data: Readonly<Record<string, unknown>>): string {
  try {
    return JSON.stringify(data);
  } catch (error) {
    return JSON.stringify({ unwritable: messageOf(error) });
  }
}

/** The event of a row. */
export function fromRow(row: Row): NodeEvent {
  const { service, data } = row;
  return {
    seq: Number(row["seq"]),
    time: Number(row["time"]),
    severity: severityOf(row["severity"]),
    kind: String(row["kind"]),
    ...(typeof service === "string" ? { service } : {}),
    message: String(row["message"]),
    ...(typeof data === "string" ? { data: objectOf(data) } : {}),
  };
}

const severityOf = (value: unknown): NodeEvent["severity"] =>
  value === "warning" || value === "error" ? value : "info";

function objectOf(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(text);
  return typeof value === "object" && value !== null ? { ...value } : {};
}
