import { z } from "zod";

export const BATCH_STATUSES = [
  "validating",
  "in_progress",
  "finalizing",
  "completed",
  "failed",
  "expired",
  "cancelled",
] as const;
export type BatchStatus = (typeof BATCH_STATUSES)[number];

/** Where a batch can be sent. */
export const BATCH_ENDPOINTS = [
  "/v1/chat/completions",
  "/v1/completions",
  "/v1/embeddings",
  "/v1/responses",
] as const;

const seconds = z.int().exactOptional();
const fault = z.strictObject({
  code: z.string(),
  message: z.string(),
  line: z.int().nullable(),
  param: z.string().nullable(),
});
export type BatchFault = Readonly<z.output<typeof fault>>;

const record = z.strictObject({
  id: z.string(),
  endpoint: z.enum(BATCH_ENDPOINTS),
  inputFile: z.string(),
  /** Chosen at the start, so that an end that was interrupted is repeated into the same files. */
  outputFile: z.string(),
  errorFile: z.string(),
  /** Name of the key whose batch it is. */
  owner: z.string(),
  window: z.string(),
  metadata: z.record(z.string(), z.string()).nullable(),
  /** Seconds until the output files are deleted; the files' own age when absent. */
  outputAge: seconds,
  status: z.enum(BATCH_STATUSES),
  /** How it will end, once it is finalizing. */
  ending: z.enum(["completed", "expired", "cancelled", "failed"]).exactOptional(),
  total: z.int(),
  completed: z.int(),
  failed: z.int(),
  faults: z.array(fault),
  hasOutput: z.boolean(),
  hasErrors: z.boolean(),
  /** When its end was asked for; kept where it ended so. */
  cancellingAt: seconds,
  /** Seconds since the epoch, all of these. */
  createdAt: z.int(),
  expiresAt: z.int(),
  inProgressAt: seconds,
  finalizingAt: seconds,
  endedAt: seconds,
});

/** All that is kept of a batch beside its files. Only its runner changes it. */
export type BatchRecord = Readonly<z.output<typeof record>>;

/** The record in a text; `undefined` for what another version or a fault of the disk wrote. */
export function batchRecordFrom(text: string): BatchRecord | undefined {
  try {
    return record.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export const hasEnded = ({ status }: Pick<BatchRecord, "status">): boolean =>
  status === "completed" || status === "failed" || status === "expired" || status === "cancelled";

/** A batch as clients of the OpenAI dialect see it; `cancelling` is when its end was asked for. */
export function batchObject(batch: BatchRecord, cancelling: number | undefined): Record<string, unknown> {
  const at = (...statuses: readonly BatchStatus[]): number | null =>
    statuses.includes(batch.status) ? (batch.endedAt ?? null) : null;
  const ended = hasEnded(batch);
  const cancellingAt = cancelling ?? batch.cancellingAt;
  return {
    id: batch.id,
    object: "batch",
    endpoint: batch.endpoint,
    errors: batch.faults.length === 0 ? null : { object: "list", data: batch.faults },
    input_file_id: batch.inputFile,
    completion_window: batch.window,
    status: cancellingAt !== undefined && !ended ? "cancelling" : batch.status,
    output_file_id: ended && batch.hasOutput ? batch.outputFile : null,
    error_file_id: ended && batch.hasErrors ? batch.errorFile : null,
    created_at: batch.createdAt,
    in_progress_at: batch.inProgressAt ?? null,
    expires_at: batch.expiresAt,
    finalizing_at: batch.finalizingAt ?? null,
    completed_at: at("completed"),
    failed_at: at("failed"),
    expired_at: at("expired"),
    cancelling_at: cancellingAt ?? null,
    cancelled_at: at("cancelled"),
    request_counts: { total: batch.total, completed: batch.completed, failed: batch.failed },
    metadata: batch.metadata,
  };
}
