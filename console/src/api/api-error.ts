/** What the node answered instead of what was asked for, or why there is no answer (`status` 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  /** The member of the body that is to blame, where the node names one: `limits.tokensPerDay`. */
  readonly param: string | undefined;

  constructor(status: number, code: string, message: string, param?: string) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.param = param;
  }
}

interface Envelope {
  /** Of an order that the state of what it is about forbids. */
  readonly message?: string;
  readonly error?: {
    readonly message?: string;
    readonly code?: string | null;
    readonly param?: string | null;
  };
}

/** The error of an answer that is none of what was asked for. */
export async function apiErrorOf(response: Response): Promise<ApiError> {
  const text = await response.text().catch(() => "");
  const { error, message: said } = envelopeOf(text);
  const message = error?.message ?? said ?? (text.slice(0, 300) || `The node answered ${response.status}.`);
  return new ApiError(
    response.status,
    error?.code ?? `http_${response.status}`,
    message,
    error?.param ?? undefined,
  );
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
