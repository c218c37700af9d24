import type { Code } from "../core/index.ts";

interface WireDetails {
  readonly param?: string;
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * A refusal in the OpenAI dialect: what a client of this engine gets to see. It is the wire's family of errors;
 * faults of the engine itself are `OmniError`s with codes of the registry.
 */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly param: string | null;
  readonly code: string | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, details: WireDetails = {}) {
    super(message);
    this.status = status;
    this.param = details.param ?? null;
    this.code = details.code ?? null;
    this.headers = details.headers ?? {};
  }
}

/** A parameter that cannot be used: status 400, naming the parameter. */
export const badParameter = (param: string, message: string, code = "invalid_value"): ApiError =>
  new ApiError(400, message, { param, code });

const TYPES: ReadonlyMap<number, string> = new Map([
  [404, "not_found_error"],
  [429, "rate_limit_error"],
  [500, "server_error"],
  [503, "server_error"],
]);

/** The body of the OpenAI error envelope. */
export function errorBody(error: ApiError): string {
  const type = TYPES.get(error.status) ?? "invalid_request_error";
  const { message, param, code } = error;
  return JSON.stringify({ error: { message, type, param, code } });
}

/** Why an engine failed, as `/health` and the one line on stdout tell it. */
export interface Failure {
  readonly code: Code;
  readonly message: string;
  readonly hint: string;
}
