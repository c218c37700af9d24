import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { gitNameOf, sha256Of } from "./content.ts";
import type { HubRules, ServedFile } from "./hub-rules.ts";

/** A commit, as hubs name revisions. */
export const COMMIT = "89abcdef0123456789abcdef0123456789abcdef";

export interface SeenRequest {
  readonly host: "hub" | "store";
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

/** A hub on loopback: the interface that lists and redirects, and a store on another port that has the bytes. */
export interface HubServer {
  readonly url: string;
  readonly rules: HubRules;
  readonly seen: readonly SeenRequest[];
  /** Bytes of bodies that the store has handed to the network. */
  sent(): number;
  close(): Promise<void>;
}

/** Serves files as one repository at `main`, `v1` and its commit. */
export async function startHubServer(
  repo: string,
  files: readonly ServedFile[],
  rules: HubRules = {},
): Promise<HubServer> {
  const seen: SeenRequest[] = [];
  let sent = 0;
  let signatures = 0;
  const uses = new Map<string, number>();
  const pace = pacer(rules);
  const siblings = files.map(siblingOf);
  const note = (host: SeenRequest["host"], request: IncomingMessage): URL => {
    const url = new URL(request.url ?? "/", "http://hub.invalid");
    const { range, authorization } = request.headers;
    seen.push({ host, path: url.pathname, range, authorization });
    return url;
  };

  const store = createServer((request, response) => {
    const url = note("store", request);
    const signature = url.searchParams.get("signature") ?? "";
    const left = uses.get(signature);
    if (left === 0 || left === undefined) {
      response
        .writeHead(403, { "content-type": "application/xml" })
        .end("<Error>Request has expired</Error>");
      return;
    }
    uses.set(signature, left - 1);
    const file = files.find(({ path }) => `/${path}` === decodeURIComponent(url.pathname));
    if (file === undefined) response.writeHead(404).end();
    else
      void serveFile(file, request, response, rules, async (bytes) => {
        await pace(bytes.length);
        sent += bytes.length;
      }).catch(() => response.destroy());
  });
  const storeUrl = await listen(store);

  const hub = createServer((request, response) => {
    const { pathname } = note("hub", request);
    if (rules.token !== undefined && request.headers.authorization !== `Bearer ${rules.token}`) {
      response.writeHead(401, { "x-error-code": "RepoNotFound" }).end("{}");
      return;
    }
    const resolve = `/${repo}/resolve/${COMMIT}/`;
    if (pathname.startsWith(`/api/models/${repo}/revision/`)) {
      const revision = decodeURIComponent(pathname.slice(`/api/models/${repo}/revision/`.length));
      answerListing(response, rules, revision, { id: repo, sha: COMMIT, siblings });
    } else if (pathname.startsWith(resolve)) {
      const signature = `s${++signatures}`;
      uses.set(signature, rules.uses ?? Number.POSITIVE_INFINITY);
      const location = `${storeUrl.replace("127.0.0.1", "localhost")}/${pathname.slice(resolve.length)}?signature=${signature}`;
      response.writeHead(302, { location, "x-repo-commit": COMMIT }).end();
    } else response.writeHead(404, { "x-error-code": "RepoNotFound" }).end("{}");
  });
  const url = await listen(hub);
  return {
    url,
    rules,
    seen,
    sent: () => sent,
    close: async () => {
      for (const server of [hub, store]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return `http://127.0.0.1:${address.port}`;
}

function siblingOf({ path, content, small, stated }: ServedFile): object {
  const size = stated?.size ?? content.size;
  if (small === true) return { rfilename: path, size, blobId: stated?.hex ?? gitNameOf(content) };
  const sha256 = stated?.hex ?? sha256Of(content);
  return {
    rfilename: path,
    size,
    blobId: createHash("sha1").update(sha256).digest("hex"),
    lfs: { sha256, size, pointerSize: 135 },
  };
}

function answerListing(response: ServerResponse, rules: HubRules, revision: string, listing: object): void {
  const { refusal } = rules;
  if (refusal !== undefined)
    response
      .writeHead(refusal.status, refusal.code === undefined ? {} : { "x-error-code": refusal.code })
      .end("{}");
  else if (!["main", "v1", COMMIT].includes(revision))
    response.writeHead(404, { "x-error-code": "RevisionNotFound" }).end("{}");
  else response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(listing));
}

/** One bound for all connections of the store. */
function pacer(rules: HubRules): (bytes: number) => Promise<void> {
  let paid = performance.now();
  return async (bytes) => {
    if (rules.rate === undefined) return;
    const now = performance.now();
    paid = Math.max(paid, now) + (bytes / rules.rate) * 1000;
    if (paid > now + 2) await sleep(paid - now);
  };
}

async function serveFile(
  file: ServedFile,
  request: IncomingMessage,
  response: ServerResponse,
  rules: HubRules,
  hand: (bytes: Buffer) => Promise<void>,
): Promise<void> {
  const { busy } = rules;
  if (busy !== undefined && busy.answers > 0) {
    busy.answers--;
    response.writeHead(429, { "retry-after": busy.retryAfter }).end("slow down");
    return;
  }
  const { size } = file.content;
  const asked = rules.ranges === false ? null : /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  const from = Number(asked?.[1] ?? 0);
  const to = asked?.[2] === undefined || asked[2] === "" ? size : Math.min(Number(asked[2]) + 1, size);
  if (insteadOf(rules, response, asked === null ? undefined : [from, to, size])) return;
  const bodies = digested(file, rules, from, to);
  response.writeHead(asked === null ? 200 : 206, {
    "content-type": "application/octet-stream",
    "content-length": to - from,
    ...(asked === null ? {} : { "content-range": `bytes ${from}-${to - 1}/${size}` }),
    ...bodies,
  });
  const cut = takeCut(rules, file.path, from, to);
  const wrong = takeDamage(rules, file.path, from, to);
  if (cut?.garbage !== undefined) wrong.push([cut.offset - cut.garbage, cut.offset]);
  let at = from;
  for (const piece of file.content.pieces(from, cut?.offset ?? to)) {
    const bytes = damaged(piece, at, wrong);
    at += piece.length;
    for (let part = 0; part < bytes.length; part += 256 << 10) {
      const slice = bytes.subarray(part, part + (256 << 10));
      await hand(slice);
      if (response.destroyed) return;
      if (!response.write(slice)) await drained(response);
    }
  }
  if (cut === undefined) response.end();
  else response.socket?.end();
}

async function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.on("drain", done).on("close", done);
  });
}

/** Answers something else than the bytes, where that is the rule. */
function insteadOf(
  rules: HubRules,
  response: ServerResponse,
  range: readonly [from: number, to: number, size: number] | undefined,
): boolean {
  const { instead } = rules;
  if (instead === undefined || rules.insteadOf === 0) return false;
  if (rules.insteadOf !== undefined) rules.insteadOf--;
  const [from, to, size] = range ?? [0, 0, 0];
  const body = Buffer.alloc(to - from);
  const headers = { "content-range": `bytes ${from}-${to - 1}/${size}` };
  if (instead === "page") response.writeHead(200, { "content-type": "text/html" }).end("<html>Log in</html>");
  else if (instead === "gzip") response.writeHead(206, { ...headers, "content-encoding": "gzip" }).end(body);
  else if (instead === "other-range")
    response.writeHead(206, { "content-range": `bytes ${from + 1}-${to - 1}/${size}` }).end(body);
  else if (instead === "other-size")
    response.writeHead(206, { "content-range": `bytes ${from}-${to - 1}/${size + 1}` }).end(body);
  else response.writeHead(206, { ...headers, "content-length": to - from - 1 }).end(body.subarray(1));
  return true;
}

function digested(file: ServedFile, rules: HubRules, from: number, to: number): Record<string, string> {
  if (rules.digests !== true && rules.md5 !== true) return {};
  const hash = createHash(rules.digests === true ? "sha256" : "md5");
  for (const piece of file.content.pieces(from, to)) hash.update(piece);
  const base64 = hash.digest("base64");
  return rules.digests === true ? { "content-digest": `sha-256=:${base64}:` } : { "content-md5": base64 };
}

function takeCut(
  rules: HubRules,
  path: string,
  from: number,
  to: number,
): { offset: number; garbage?: number } | undefined {
  const cuts = rules.cuts ?? [];
  const hits = cuts
    .filter((cut) => cut.path === path && cut.offset > from && cut.offset < to)
    .toSorted((a, b) => a.offset - b.offset);
  const [first] = hits;
  if (first !== undefined) cuts.splice(cuts.indexOf(first), 1);
  return first;
}

function takeDamage(rules: HubRules, path: string, from: number, to: number): [from: number, to: number][] {
  const hits = (rules.damage ?? []).filter(
    ({ path: of, offset, length, times = 1 }) =>
      of === path && times > 0 && offset < to && offset + length > from,
  );
  for (const hit of hits) hit.times = (hit.times ?? 1) - 1;
  return hits.map(({ offset, length }) => [offset, offset + length]);
}

/** A piece with its wrong bytes turned over. */
function damaged(piece: Buffer, at: number, wrong: readonly (readonly [number, number])[]): Buffer {
  const hits = wrong.filter(([from, to]) => from < at + piece.length && to > at);
  if (hits.length === 0) return piece;
  const bytes = Buffer.from(piece);
  for (const [from, to] of hits)
    for (let index = Math.max(0, from - at); index < Math.min(bytes.length, to - at); index++)
      bytes[index] = (bytes[index] ?? 0) ^ 0xff;
  return bytes;
}
