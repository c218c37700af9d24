/** What the node answered instead of what was asked for, or why there is no answer (`status` 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
  }
}

interface Envelope {
  readonly error?: { readonly message?: string; readonly code?: string | null };
}

/** The error of an answer that is none of what was asked for. */
export async function apiErrorOf(response: Response): Promise<ApiError> {
  const text = await response.text().catch(() => "");
  const { error } = envelopeOf(text);
  const message = error?.message ?? (text.slice(0, 300) || `The node answered ${response.status}.`);
  return new ApiError(response.status, error?.code ?? `http_${response.status}`, message);
}

function envelopeOf(text: string): Envelope {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown);
