import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";

import type { Caller } from "../../keys/caller.ts";
import { answering } from "../answering.ts";
import type { Call, StreamedCall } from "../call.ts";
import { sendJson } from "../call.ts";
import { refuseUnread } from "../lingering-close.ts";
import type { Endpoint } from "../surface.ts";
import { sendError } from "../wire-error.ts";
import type { FileStore } from "./file-store.ts";
import { pageOf } from "./page-of.ts";
import type { StoredFile } from "./stored-file.ts";
import { fileObject } from "./stored-file.ts";
import { refusalOf, uploadFile } from "./upload-file.ts";

/** OpenAI's lists of files are long where nothing is said. */
const USUAL_PAGE = 10_000;
/** What a client may go on sending after its form was refused, bytes. */
const DISCARD = 8 * 1024 * 1024;

/** `/v1/files`: what clients keep on the node; a key sees its own, one with `admin` all. */
export const fileEndpoints = (store: FileStore): Readonly<Record<string, Endpoint>> => ({
  "/v1/files": {
    GET: (call) => void answering(call, list(store, call)),
    POST: (call) => void answering(call, upload(store, call)),
  },
  "/v1/files/*": {
    GET: (call, rest) => {
      const content = rest.endsWith("/content");
      const id = content ? rest.slice(0, -"/content".length) : rest;
      void answering(call, content ? sendContent(store, call, id) : show(store, call, id));
    },
    DELETE: (call, rest) => void answering(call, remove(store, call, rest)),
  },
});

/** Whether a caller may see what belongs to a key. */
export const mayAccess = (caller: Caller | undefined, owner: string): boolean =>
  caller !== undefined && (caller.admin || caller.key === owner);

async function upload(store: FileStore, call: StreamedCall): Promise<void> {
  if (call.caller === undefined) return;
  const kept = await uploadFile(store, call.caller, call.req).catch((thrown: unknown) => {
    // A client that has gone gets no answer; nothing of its file was kept.
    if (call.req.destroyed && !call.req.complete) return undefined;
    const refusal = refusalOf(thrown);
    if (refusal === undefined) throw thrown;
    return refusal;
  });
  if (kept === undefined) return;
  if (!("status" in kept)) sendJson(call, 200, fileObject(kept));
  else if (call.req.readableEnded) sendError(call, kept);
  else {
    refuseUnread(call, kept, DISCARD);
    call.req.resume();
  }
}

async function list(store: FileStore, call: Call): Promise<void> {
  const purpose = call.query.get("purpose");
  const own = (await store.list()).filter(
    (file) => mayAccess(call.caller, file.owner) && (purpose === null || file.purpose === purpose),
  );
  const ordered = call.query.get("order") === "asc" ? own.toReversed() : own;
  const page = pageOf(ordered, call.query, fileObject, USUAL_PAGE);
  if ("status" in page) sendError(call, page);
  else sendJson(call, 200, page);
}

async function show(store: FileStore, call: Call, id: string): Promise<void> {
  const file = await visible(store, call, id);
  if (file !== undefined) sendJson(call, 200, fileObject(file));
}

async function remove(store: FileStore, call: Call, id: string): Promise<void> {
  const file = await visible(store, call, id);
  if (file === undefined) return;
  await store.remove(file.id);
  sendJson(call, 200, { id: file.id, object: "file", deleted: true });
}

async function sendContent(store: FileStore, call: StreamedCall, id: string): Promise<void> {
  const file = await visible(store, call, id);
  if (file === undefined) return;
  call.res.writeHead(200, [
    "content-type",
    "application/octet-stream",
    "content-length",
    String(file.bytes),
    // It is a stranger's bytes: no browser may take it for a page of this node.
    "x-content-type-options",
    "nosniff",
    "content-disposition",
    `attachment; filename*=UTF-8''${encodeURIComponent(file.filename.toWellFormed())}`,
    ...call.headers,
  ]);
  if (call.req.method === "HEAD") call.res.end();
  else await pipeline(createReadStream(store.path(file.id)), call.res);
}

/** The file where the caller may see it; else 404 has been answered, as for one that never was. */
async function visible(store: FileStore, call: Call, id: string): Promise<StoredFile | undefined> {
  const file = await store.find(id);
  if (file !== undefined && mayAccess(call.caller, file.owner)) return file;
  const message = `No such file: ${id.slice(0, 100)}. GET /v1/files lists yours.`;
  sendError(call, {
    status: 404,
    type: "not_found_error",
    code: "file_not_found",
    message,
    param: "id",
  });
  return undefined;
}
