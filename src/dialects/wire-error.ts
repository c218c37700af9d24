/** What kind of error it is, in the words that OpenAI's and Anthropic's clients share or that are mapped to theirs. */
export type WireErrorType =
  | "invalid_request_error"
  | "authentication_error"
  | "permission_error"
  | "not_found_error"
  | "rate_limit_error"
  | "timeout_error"
  | "overloaded_error"
  | "server_error";

/** An error as it is told to a client, before it is put into the words of one dialect. */
export interface WireError {
  readonly status: number;
  readonly type: WireErrorType;
  readonly code: string;
  readonly message: string;
  readonly param?: string;
  /** Seconds after which another try makes sense. */
  readonly retryAfter?: number;
  /** Further members of the error object, such as `loading`. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** The kind of error that an HTTP status stands for. */
export function wireErrorType(status: number): WireErrorType {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 408:
    case 504:
      return "timeout_error";
    case 429:
      return "rate_limit_error";
    case 503:
    case 529:
      return "overloaded_error";
    default:
      return status >= 400 && status < 500 ? "invalid_request_error" : "server_error";
  }
}
