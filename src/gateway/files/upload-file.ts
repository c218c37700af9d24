import type { IncomingMessage } from "node:http";

import { KIB } from "../../core/index.ts";
import { wireErrorType } from "../../dialects/wire-error.ts";
import type { Caller } from "../../keys/caller.ts";
import type { WireError } from "../wire-error.ts";
import { badRequest } from "../wire-error.ts";
import type { FileStore, NewFile, ReceivedFile } from "./file-store.ts";
import { FileRefused } from "./file-store.ts";
import type { MultipartPart } from "./multipart-reader.ts";
import { fieldText, readMultipart } from "./multipart-reader.ts";
import { boundaryOf, MultipartError } from "./part-head.ts";
import type { StoredFile } from "./stored-file.ts";

/** Fields of a form beside its file; more than any client sends. */
const PARTS = 32;
const HEAD_BYTES = 8 * KIB;
const FIELD_BYTES = 4 * KIB;
const HOUR = 3600;
const PURPOSES = ["batch", "user_data", "assistants", "vision", "fine-tune", "evals"];

/** The body without its end destroying the connection: whoever refuses it still answers. */
export const bodyChunks = (req: IncomingMessage): AsyncIterable<Buffer> => ({
  [Symbol.asyncIterator]: () => req.iterator({ destroyOnReturn: false }),
});

/** Keeps the file of a form. What is thrown is not the client's fault, or a FileRefused or MultipartError. */
export async function uploadFile(
  store: FileStore,
  caller: Caller,
  req: IncomingMessage,
): Promise<StoredFile | WireError> {
  const boundary = boundaryOf(req.headers["content-type"]);
  const limits = {
    bytes: store.limits.fileBytes + PARTS * (HEAD_BYTES + FIELD_BYTES),
    parts: PARTS,
    headBytes: HEAD_BYTES,
  };
  const form: Form = { fields: new Map(), file: undefined, filename: "" };
  try {
    for await (const part of readMultipart(bodyChunks(req), boundary, limits))
      await take(store, caller.key, form, part);
    const described = describe(caller.key, form);
    if ("status" in described || form.file === undefined)
      return "status" in described ? described : missing("file");
    return await form.file.keep(described);
  } finally {
    await form.file?.drop();
  }
}

interface Form {
  readonly fields: Map<string, string>;
  file: ReceivedFile | undefined;
  filename: string;
}

async function take(store: FileStore, owner: string, form: Form, part: MultipartPart): Promise<void> {
  if (part.name !== "file") {
    form.fields.set(part.name, await fieldText(part, FIELD_BYTES));
    return;
  }
  if (form.file !== undefined)
    throw new MultipartError("invalid_multipart", "The form has two files; send one.");
  form.filename = part.filename ?? "";
  form.file = await store.receive(owner, part.body);
}

function describe(owner: string, { fields, filename }: Form): NewFile | WireError {
  const purpose = fields.get("purpose");
  if (purpose === undefined) return missing("purpose");
  if (!PURPOSES.includes(purpose))
    return badRequest("invalid_value", `purpose is one of ${PURPOSES.join(", ")}.`, "purpose");
  const seconds = fields.get("expires_after[seconds]");
  const anchor = fields.get("expires_after[anchor]") ?? "created_at";
  const expiresAfter = seconds === undefined ? undefined : Number(seconds);
  if (
    anchor !== "created_at" ||
    (expiresAfter !== undefined && !(expiresAfter >= HOUR && Number.isInteger(expiresAfter)))
  )
    return badRequest(
      "invalid_value",
      "expires_after counts whole seconds, at least 3600, from created_at.",
      "expires_after",
    );
  return {
    owner,
    filename: filename === "" ? "file" : filename,
    purpose,
    ...(expiresAfter === undefined ? {} : { expiresAfter }),
  };
}

const missing = (field: string): WireError =>
  badRequest("missing_field", `The form has no "${field}"; it takes file and purpose.`, field);

/** How a refused form or file reads on the wire; `undefined` for what is no refusal. */
export function refusalOf(thrown: unknown): WireError | undefined {
  if (thrown instanceof MultipartError)
    return {
      status: thrown.status,
      type: "invalid_request_error",
      code: thrown.code,
      message: thrown.message,
    };
  if (!(thrown instanceof FileRefused)) return undefined;
  const status = thrown.code === "file_too_large" ? 413 : 507;
  return { status, type: wireErrorType(status), code: thrown.code, message: thrown.message };
}
