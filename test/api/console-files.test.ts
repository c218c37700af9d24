import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { consoleEndpoints } from "../../src/api/console-files/index.ts";
import type { EndpointServer } from "../fakes/endpoint-server.ts";
import { startEndpoints } from "../fakes/endpoint-server.ts";

const PAGE = `<!doctype html><title>Omni</title><script type="module" src="./assets/index-1a2b3c4d.js"></script>`;
const SCRIPT = `export const text = "${"console ".repeat(2000)}";`;
const PICTURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 1, 2, 3]);

let folder: string;
let server: EndpointServer;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "omni-test-"));
  mkdirSync(join(folder, "assets"));
  writeFileSync(join(folder, "index.html"), PAGE);
  writeFileSync(join(folder, "favicon.svg"), "<svg/>");
  writeFileSync(join(folder, "assets", "index-1a2b3c4d.js"), SCRIPT);
  writeFileSync(join(folder, "assets", "dot-5e6f.png"), PICTURE);
  server = await startEndpoints(consoleEndpoints(folder, "1.2.3"));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** As it is on the wire: fetch would unpack it. */
const ask = (path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Got> =>
  new Promise((resolve, reject) => {
    get(server.url + path, { headers, method }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(parts) }),
      );
    }).on("error", reject);
  });

const SCRIPT_PATH = "/assets/index-1a2b3c4d.js";

describe("the page", () => {
  it("is for browsers, and is asked about each time; others get the few lines about the node", async () => {
    const page = await ask("/", { accept: "text/html,application/xhtml+xml,*/*;q=0.8" });
    expect([page.status, page.body.toString()]).toEqual([200, PAGE]);
    expect(page.headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-cache",
      vary: "accept, accept-encoding",
    });
    const lines = await ask("/", { accept: "*/*" });
    expect(lines.headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect(lines.body.toString()).toContain("Omni 1.2.3: one endpoint");
  });

  it("may load nothing but this node's own files, and be framed by nobody", async () => {
    const { headers } = await ask("/", { accept: "text/html" });
    expect(String(headers["content-security-policy"]).split("; ").toSorted()).toEqual([
      "base-uri 'none'",
      "connect-src 'self'",
      "default-src 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "img-src 'self' data: blob:",
      "script-src 'self'",
      "style-src 'self'",
    ]);
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
    });
    expect(headers["permissions-policy"]).toContain("camera=()");
  });

  it("says how it is built where it is not", async () => {
    await using bare = await startEndpoints(consoleEndpoints(join(folder, "nothing"), "1.2.3"));
    const page = await fetch(bare.url, { headers: { accept: "text/html" } });
    expect(page.headers.get("cache-control")).toBe("no-store");
    expect(await page.text()).toContain("npm run build:console");
    expect((await fetch(`${bare.url}/assets/x.js`)).status).toBe(404);
  });
});

describe("a file", () => {
  it.each([
    ["br", "br, gzip", brotliDecompressSync],
    ["gzip", "gzip;q=0.5, br;q=0.1", gunzipSync],
    ["gzip", "gzip, deflate", gunzipSync],
    ["gzip", "br;q=0, *", gunzipSync],
  ] as const)("travels as %s for %s", async (encoding, accepted, unpacked) => {
    const { status, headers, body } = await ask(SCRIPT_PATH, { "accept-encoding": accepted });
    expect([status, headers["content-encoding"]]).toEqual([200, encoding]);
    expect(Number(headers["content-length"])).toBe(body.length);
    expect(body.length).toBeLessThan(500);
    expect(unpacked(body).toString()).toBe(SCRIPT);
    expect(headers).toMatchObject({
      "content-type": "text/javascript; charset=utf-8",
      "cache-control": "public, max-age=31536000, immutable",
    });
  });

  it("travels as it is for who takes nothing else, and where it is packed already", async () => {
    const plain = await ask(SCRIPT_PATH, { "accept-encoding": "identity" });
    expect([plain.headers["content-encoding"], plain.body.toString()]).toEqual([undefined, SCRIPT]);
    const picture = await ask("/assets/dot-5e6f.png", { "accept-encoding": "br" });
    expect(picture.headers["content-encoding"]).toBeUndefined();
    expect([picture.headers["content-type"], picture.body]).toEqual(["image/png", PICTURE]);
  });

  it("is not sent again to who has it in the same form", async () => {
    const tagOf = async (accepted: string): Promise<string> =>
      String((await ask(SCRIPT_PATH, { "accept-encoding": accepted })).headers.etag);
    const [packed, plain] = [await tagOf("br"), await tagOf("identity")];
    expect(packed).not.toBe(plain);
    const again = await ask(SCRIPT_PATH, {
      "accept-encoding": "br",
      "if-none-match": `"other", W/${packed}`,
    });
    expect([again.status, again.body.length, again.headers.etag]).toEqual([304, 0, packed]);
    const other = await ask(SCRIPT_PATH, { "accept-encoding": "br", "if-none-match": plain });
    expect(other.status).toBe(200);
  });

  it("has a head of its own", async () => {
    const { status, headers, body } = await ask(SCRIPT_PATH, {}, "HEAD");
    expect([status, Number(headers["content-length"]), body.length]).toEqual([200, SCRIPT.length, 0]);
  });

  it.each(["/assets/nothing.js", "/assets/../index.html", "/assets/%2e%2e/index.html", "/assets/assets"])(
    "that is none, as %s, is not found",
    async (path) => {
      const { status, body } = await ask(path);
      expect(status).toBe(404);
      expect(JSON.parse(body.toString())).toMatchObject({ error: { code: "unknown_path" } });
    },
  );

  it("may be the icon", async () => {
    const { headers } = await ask("/favicon.svg");
    expect([headers["content-type"], headers["cache-control"]]).toEqual(["image/svg+xml", "no-cache"]);
  });
});
