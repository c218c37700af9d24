import { answering } from "../../gateway/answering.ts";
import type { Call } from "../../gateway/call.ts";
import { sendText } from "../../gateway/call.ts";
import { answerHome } from "../../gateway/status-endpoint.ts";
import type { Endpoint } from "../../gateway/surface.ts";
import { sendMissing } from "../endpoints/send-answer.ts";
import { acceptedEncoding } from "./accepted-encoding.ts";
import type { ConsoleFile } from "./console-file.ts";
import type { ConsoleFiles } from "./read-console.ts";
import { readConsole } from "./read-console.ts";
import { SECURITY_HEADERS } from "./security-headers.ts";

const FOR_EVER = "public, max-age=31536000, immutable";
/** It may be kept, and is asked about each time. */
const ASKED_ABOUT = "no-cache";

const NOT_BUILT = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Omni</title>
<h1>The console is not built</h1>
<p>This node runs from its source, and nobody has built its console yet. In the folder of Omni:</p>
<pre>npm run build:console</pre>
<p>Then start the node again. Everything else of it works as it is: <a href="/api/openapi.json">its API</a>.</p>
`;

/**
 * `/`, `/assets/*` and the icon: the console as it was built into `folder`, which is read from now on. Open, because the
 * page itself asks for a key; who is no browser gets the few lines that say where everything is.
 */
export function consoleEndpoints(folder: string, version: string): Readonly<Record<string, Endpoint>> {
  const reading = readConsole(folder);
  // Whoever asks is told; until then nobody waits for it.
  reading.catch(() => undefined);
  const file = (call: Call, path: string, otherwise: () => void): void =>
    void answering(
      call,
      reading.then((files) => sendFrom(files, call, path, otherwise)),
    );
  const named = (call: Call, path: string): void =>
    file(call, path, () =>
      sendMissing(call, "unknown_path", `The console has no file ${call.path.slice(0, 200)}.`),
    );
  return {
    "/": {
      open: true,
      GET: (call) => {
        if (isBrowser(call)) file(call, "index.html", () => sendNotBuilt(call));
        else answerHome(version, call);
      },
    },
    "/assets/*": { open: true, GET: (call, rest) => named(call, `assets/${rest}`) },
    "/favicon.svg": { open: true, GET: (call) => named(call, "favicon.svg") },
  };
}

const isBrowser = ({ req }: Call): boolean => req.headers.accept?.includes("text/html") ?? false;

const sendNotBuilt = (call: Call): void =>
  sendText(call, 200, "text/html; charset=utf-8", NOT_BUILT, [
    "cache-control",
    "no-store",
    "vary",
    "accept",
    ...SECURITY_HEADERS,
  ]);

async function sendFrom(files: ConsoleFiles, call: Call, path: string, otherwise: () => void): Promise<void> {
  const file = files.get(path);
  if (file === undefined) otherwise();
  else await sendFile(call, file);
}

async function sendFile({ req, res, headers }: Call, file: ConsoleFile): Promise<void> {
  const accepted = req.headers["accept-encoding"]?.toString();
  const encoding = file.compressible ? acceptedEncoding(accepted) : "identity";
  const { body, etag } = await file.as(encoding);
  if (res.destroyed) return;
  const head = [
    "etag",
    etag,
    "cache-control",
    file.hashed ? FOR_EVER : ASKED_ABOUT,
    "vary",
    "accept, accept-encoding",
    ...SECURITY_HEADERS,
    ...headers,
  ];
  if (isKnown(req.headers["if-none-match"], etag)) {
    res.writeHead(304, head);
    res.end();
    return;
  }
  const packed = encoding === "identity" ? [] : ["content-encoding", encoding];
  res.writeHead(200, ["content-type", file.type, "content-length", String(body.length), ...packed, ...head]);
  res.end(req.method === "HEAD" ? undefined : body);
}

/** Whether the client has it already (RFC 9110, 13.1.2). */
const isKnown = (header: string | undefined, etag: string): boolean =>
  header !== undefined &&
  header.split(",").some((tag) => ["*", etag].includes(tag.trim().replace(/^W\//, "")));
