/** A run of the runbook: one process that applied one spec. Times are milliseconds since the epoch. */
export interface RunRow {
  readonly id: number;
  /** Name of the spec. */
  readonly spec: string;
  readonly begun: number;
  readonly pid: number;
  /** Who ran it: `user@machine`. */
  readonly by: string;
  /** Absent while it is at work, and for good where its process was killed. */
  readonly ended?: number;
  readonly outcome?: string;
}

/** One entry of a run's journal. */
export interface JournalRow {
  readonly seq: number;
  readonly time: number;
  readonly kind: string;
  readonly step?: string;
  /** JSON of what belongs to the kind. */
  readonly data: string;
}

type Row = Readonly<Record<string, unknown>>;

export const toRun = (row: Row): RunRow => ({
  id: Number(row["id"]),
  spec: String(row["spec"]),
  begun: Number(row["begun"]),
  pid: Number(row["pid"]),
  by: String(row["by"]),
  ...(row["ended"] === null ? {} : { ended: Number(row["ended"]), outcome: String(row["outcome"]) }),
});

export function toEntry(row: Row): JournalRow {
  const { step } = row;
  return {
    seq: Number(row["seq"]),
    time: Number(row["time"]),
    kind: String(row["kind"]),
    ...(typeof step === "string" ? { step } : {}),
    data: String(row["data"]),
  };
}
