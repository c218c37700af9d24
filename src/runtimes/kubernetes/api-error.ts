import { z } from "zod";

/** One reason of a refusal: the field, and in words. */
export interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

const CAUSE = z.object({
  reason: z.string().default(""),
  message: z.string().default(""),
  field: z.string().default(""),
});

/** A `Status` of the API (meta/v1). */
const STATUS = z.object({
  kind: z.literal("Status"),
  code: z.number().optional(),
  reason: z.string().optional(),
  message: z.string().optional(),
  details: z.object({ causes: z.array(CAUSE).default([]) }).optional(),
});

/** What the API server answered instead of doing what it was asked. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** Status of HTTP. */
  readonly status: number;
  /** `Forbidden`, `Conflict`, `Expired`: the word of the API, empty where it said none. */
  readonly reason: string;
  readonly causes: readonly Cause[];

  constructor(status: number, body: unknown) {
    const parsed = STATUS.safeParse(body).data;
    super(
      parsed?.message ?? (typeof body === "string" && body !== "" ? body.slice(0, 500) : `HTTP ${status}`),
    );
    this.status = parsed?.code ?? status;
    this.reason = parsed?.reason ?? "";
    this.causes = parsed?.details?.causes ?? [];
  }

  /** The version that a watch started from is too old: list anew. */
  get expired(): boolean {
    return this.status === 410 || this.reason === "Expired" || this.reason === "Gone";
  }
}
