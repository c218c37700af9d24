import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ranges, redirect, startFileServer } from "./file-server.ts";
import type { Answer, FileServer } from "./file-server.ts";

/** A commit, as hubs name revisions. */
export const COMMIT = "0123456789abcdef0123456789abcdef01234567";

/** A model hub on loopback: the interface that lists, and another host that the files are redirected to. */
export interface ModelHub {
  readonly url: string;
  readonly front: FileServer;
  readonly storage: FileServer;
  close(): Promise<void>;
}

export interface HubRules {
  /** Whoever has it may read; everybody when absent. */
  readonly token?: string;
  /** What the hub answers in place of listings. */
  readonly listing?: Answer;
}

/** Serves the files of a folder as `owner/name`. */
export async function startModelHub(folder: string, repo: string, rules: HubRules = {}): Promise<ModelHub> {
  const names = readdirSync(folder);
  const files = new Map(names.map((name) => [name, readFileSync(join(folder, name))]));
  const storage = await startFileServer(
    Object.fromEntries([...files].map(([name, bytes]) => [`/blobs/${name}`, ranges(bytes)])),
  );
  const siblings = [...files].map(([rfilename, bytes]) => ({ rfilename, size: bytes.length }));
  const listing: Answer =
    rules.listing ??
    ((_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ id: repo, sha: COMMIT, siblings }));
    });
  const guarded =
    (answer: Answer): Answer =>
    (request, response) => {
      const allowed = rules.token === undefined || request.headers.authorization === `Bearer ${rules.token}`;
      if (allowed) answer(request, response);
      else response.writeHead(401, { "x-error-code": "RepoNotFound" }).end("Repository Not Found");
    };
  const front = await startFileServer({
    [`/api/models/${repo}/revision/main`]: guarded(listing),
    [`/api/models/${repo}/revision/absent`]: (_, response) => {
      response.writeHead(404, { "x-error-code": "RevisionNotFound" }).end("Revision Not Found");
    },
    [`/api/models/${repo}/revision/gated`]: (_, response) => {
      response.writeHead(403, { "x-error-code": "GatedRepo" }).end("Access is restricted");
    },
    ...Object.fromEntries(
      names.map((name) => [
        `/${repo}/resolve/${COMMIT}/${name}`,
        // Another name for this machine is another host to whoever keeps credentials.
        guarded(redirect(`${storage.url.replace("127.0.0.1", "localhost")}/blobs/${name}?signature=s3cret`)),
      ]),
    ),
  });
  return {
    url: front.url,
    front,
    storage,
    close: async () => {
      await Promise.all([front.close(), storage.close()]);
    },
  };
}
