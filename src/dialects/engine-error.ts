import type { Dialect, JsonObject } from "./dialect.ts";
import { isList, isObject, textOr } from "./fields.ts";
import type { WireError, WireErrorType } from "./wire-error.ts";
import { wireErrorType } from "./wire-error.ts";

/** More of an engine's page of HTML or stack trace helps nobody. */
const MAX_MESSAGE = 4000;

const TYPES: ReadonlyMap<string, WireErrorType> = new Map([
  ["invalid_request_error", "invalid_request_error"],
  ["request_too_large", "invalid_request_error"],
  ["billing_error", "permission_error"],
  ["exceed_context_size_error", "invalid_request_error"],
  ["authentication_error", "authentication_error"],
  ["permission_error", "permission_error"],
  ["not_found_error", "not_found_error"],
  ["rate_limit_error", "rate_limit_error"],
  ["rate_limit_exceeded", "rate_limit_error"],
  ["timeout_error", "timeout_error"],
  ["overloaded_error", "overloaded_error"],
  ["unavailable_error", "overloaded_error"],
  ["api_error", "server_error"],
  ["server_error", "server_error"],
]);

const TOLD: ReadonlySet<string> = new Set(["message", "type", "param", "code", "status", "object"]);

/**
 * An engine's own error as it can be told in any family: its status and its message are kept. Reads OpenAI's and
 * Anthropic's shapes, vLLM's older flat one, FastAPI's `detail`, Ollama's `{error: "text"}` and plain text.
 */
export function readEngineError(dialect: Dialect, status: number, body: string | Buffer): WireError {
  const text = typeof body === "string" ? body : body.toString("utf8");
  const parsed = parse(text);
  const found = parsed === undefined ? undefined : readErrorObject(parsed, status);
  if (found !== undefined) return found;
  const said = text.trim().slice(0, MAX_MESSAGE);
  return {
    status,
    type: wireErrorType(status),
    code: "engine_error",
    message: said === "" ? `The engine answered ${status} without a word (${dialect}).` : said,
  };
}

/** The error in an event of an engine's stream, `undefined` when it is none; its status is the code that it names, or 500. */
export function readErrorEvent(body: JsonObject): WireError | undefined {
  const { error } = body;
  const code = isObject(error) ? error["code"] : body["code"];
  const isStatus = typeof code === "number" && Number.isInteger(code) && code >= 400 && code < 600;
  return readErrorObject(body, isStatus ? code : 500);
}

function readErrorObject(body: JsonObject, status: number): WireError | undefined {
  const { error, detail } = body;
  if (isObject(error)) return fromMembers(error, status);
  if (typeof error === "string") return fromMembers({ message: error }, status);
  if (body["object"] === "error" || body["type"] === "error") return fromMembers(body, status);
  if (typeof detail === "string") return fromMembers({ message: detail }, status);
  if (isList(detail)) return fromMembers({ message: validationText(detail) }, status);
  return typeof body["message"] === "string" && body["choices"] === undefined && body["content"] === undefined
    ? fromMembers(body, status)
    : undefined;
}

function fromMembers(error: JsonObject, status: number): WireError {
  const told = textOr(error["message"])?.slice(0, MAX_MESSAGE);
  const type = textOr(error["type"]);
  const code = error["code"];
  const known = type === undefined ? undefined : TYPES.get(type);
  const further = Object.entries(error).filter(
    ([name, value]) => !TOLD.has(name) && ["string", "number", "boolean"].includes(typeof value),
  );
  const param = textOr(error["param"]);
  return {
    status,
    type: known ?? wireErrorType(status),
    code: typeof code === "string" && code !== "" ? code : (type ?? "engine_error"),
    message: told === undefined || told === "" ? `The engine answered ${status} and did not say why.` : told,
    ...(param === undefined ? {} : { param }),
    ...(further.length === 0 ? {} : { detail: Object.fromEntries(further.slice(0, 20)) }),
  };
}

/** FastAPI's list of what did not pass: `body.messages.0.role: Field required`. */
function validationText(items: readonly unknown[]): string {
  const lines = items.slice(0, 10).flatMap((item) => {
    if (!isObject(item)) return typeof item === "string" ? [item] : [];
    const where = isList(item["loc"]) ? item["loc"].filter((step) => typeof step !== "object").join(".") : "";
    const what = textOr(item["msg"]) ?? "";
    return [where === "" ? what : `${where}: ${what}`];
  });
  return lines.join("; ");
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
