import { createHash } from "node:crypto";
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isInputRequiredResult, type CallToolResult } from "@modelcontextprotocol/server";
import { createFilesystem, type FilesystemOptions } from "../../../src/mcp/filesystem/filesystem-server.ts";
import { makeNamedPipe } from "../../fakes/named-pipe.ts";
import type { Provider, ProviderContext } from "../../../src/mcp/provider.ts";

/** What must never be in an answer. */
export const SECRET = "TOP-SECRET-f3a9";

/** A context of a call as the gateway makes it; the signal is one that never aborts unless given. */
export const contextOf = (signal = new AbortController().signal): ProviderContext => ({
  caller: { key: "test", admin: false, upstream: false, priority: 0 },
  request: "r1",
  signal,
  capabilities: {},
});

export interface Outcome {
  readonly refused: boolean;
  readonly text: string;
  readonly result: CallToolResult;
}

export interface FileHouse extends AsyncDisposable {
  /** The folder that holds everything; `docs` (writable), `ro` (read-only) and `outside` are in it. */
  readonly base: string;
  readonly server: Provider;
  call(tool: string, args: Readonly<Record<string, unknown>>, signal?: AbortSignal): Promise<Outcome>;
  /** A digest of everything outside the roots, contents and links. */
  outside(): string;
}

/** Real folders with every kind of thing in them, and a file server over two of them. */
export async function fileHouse(options: Partial<FilesystemOptions> = {}): Promise<FileHouse> {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "omni-files-")));
  const socket = await furnish(base);
  const server = createFilesystem({
    roots: {
      docs: { path: join(base, "docs"), writable: true },
      ro: { path: join(base, "ro"), writable: false },
    },
    maxRead: 64 << 10,
    maxWrite: 64 << 10,
    versions: 3,
    versionsFolder: join(base, "state", "versions"),
    ...options,
  });
  return {
    base,
    server,
    call: async (tool, args, signal) => {
      const result = await server.callTool(tool, args, contextOf(signal));
      if (isInputRequiredResult(result)) throw new Error("the file server asked something");
      const parts = result.content.map((part) => (part.type === "text" ? part.text : JSON.stringify(part)));
      return { refused: result.isError === true, text: parts.join("\n"), result };
    },
    outside: () => digestOf(["outside", "docs-secret", "ro"].map((name) => join(base, name))),
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await new Promise((done) => socket.close(done));
      rmSync(base, { recursive: true, force: true });
    },
  };
}

async function furnish(base: string) {
  const put = (path: string, content: string): void => writeFileSync(join(base, path), content);
  for (const folder of [
    "docs/sub/deep",
    "docs/.ssh",
    "docs/.docker",
    "docs/private",
    "docs-secret",
    "ro",
    "outside/dir",
    "state",
  ])
    mkdirSync(join(base, folder), { recursive: true });
  put("docs/a.md", "alpha\nbeta\n");
  put("docs/sub/inner.txt", "inner beta\n");
  put("ro/fixed.txt", "fixed\n");
  for (const path of [
    "docs/.env",
    "docs/sub/.Env.local",
    "docs/.ssh/id_ed25519",
    "docs/server.PEM",
    "docs/.docker/config.json",
    "docs/private/plan.md",
  ])
    put(path, SECRET);
  for (const path of [
    "docs-secret/secret.txt",
    "outside/secret.txt",
    "outside/dir/secret.txt",
    "outside/.env",
    "state/keys.db",
  ])
    put(path, SECRET);
  put("outside/linked.txt", "hard");
  const link = (target: string, path: string): void => symlinkSync(target, join(base, path));
  link("../outside/secret.txt", "docs/link-file");
  link("../outside", "docs/link-dir");
  link("..", "docs/link-up");
  link(join(base, "outside"), "docs/link-absolute");
  link("link-dir", "docs/chain");
  link("loop-b", "docs/loop-a");
  link("loop-a", "docs/loop-b");
  link("a.md", "docs/link-inside");
  link("sub", "docs/link-sub");
  link("/dev/zero", "docs/zero");
  link("/proc/self/root", "docs/proc-root");
  link("../outside/new.txt", "docs/dangling");
  link("../outside", "ro/link-dir");
  linkSync(join(base, "outside/linked.txt"), join(base, "docs/hard.txt"));
  makeNamedPipe(join(base, "docs/pipe"));
  const socket = createServer();
  await new Promise<void>((done) => {
    socket.listen(join(base, "docs/socket"), done);
  });
  return socket;
}

function digestOf(folders: readonly string[]): string {
  const hash = createHash("sha256");
  const visit = (path: string): void => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const inside = join(path, entry.name);
      hash.update(inside);
      if (entry.isDirectory()) visit(inside);
      else hash.update(entry.isSymbolicLink() ? readlinkSync(inside) : readFileSync(inside));
    }
  };
  folders.forEach(visit);
  return hash.digest("hex");
}
