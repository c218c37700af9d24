import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { inTurn, ranges, redirect, refuse, startFileServer } from "../../test/fakes/file-server.ts";
import type { Answer, FileServer } from "../../test/fakes/file-server.ts";
import { openFile, openUrl } from "./index.ts";
import type { ByteSource } from "./index.ts";

const MIB = 1 << 20;
/** 3 MiB and a bit of bytes that tell their place. */
const FILE = Buffer.alloc(3 * MIB + 77);
for (let at = 0; at + 4 <= FILE.length; at += 4) FILE.writeUInt32LE(at, at);

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const thing of opened.splice(0).toReversed()) await thing.close();
});
const serve = async (answers: Readonly<Record<string, Answer>>): Promise<FileServer> => {
  const server = await startFileServer(answers);
  opened.push(server);
  return server;
};
const openAt = async (url: string, options: Parameters<typeof openUrl>[1] = {}): Promise<ByteSource> => {
  const source = await openUrl(url, { retryDelay: 1, ...options });
  opened.push(source);
  return source;
};

describe("openFile", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "omni-source-"));
    await writeFile(join(folder, "a"), FILE);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("reads anywhere, and says where a file ends", async () => {
    const source = await openFile(join(folder, "a"));
    opened.push(source);
    expect(source.size).toBe(FILE.length);
    expect(Buffer.from(await source.read(MIB, 8)).equals(FILE.subarray(MIB, MIB + 8))).toBe(true);
    expect(await source.read(FILE.length, 0)).toHaveLength(0);
    await expect(source.read(FILE.length - 4, 5)).rejects.toThrow(/ends after 3145805 bytes/);
  });

  it("notices that a file was cut after it was opened", async () => {
    const path = join(folder, "cut");
    await writeFile(path, "123456");
    const source = await openFile(path);
    opened.push(source);
    await truncate(path, 3);
    await expect(source.read(0, 6)).rejects.toMatchObject({ code: "model.truncated" });
  });

  it("refuses what is no file", async () => {
    await expect(openFile(folder)).rejects.toMatchObject({ code: "model.not-found" });
    await expect(openFile(join(folder, "absent"))).rejects.toMatchObject({ code: "model.not-found" });
  });
});

describe("openUrl", () => {
  it("reads forward in blocks that double: 3 MiB take three requests", async () => {
    const server = await serve({ "/m": ranges(FILE) });
    const source = await openAt(`${server.url}/m`);
    for (let at = 0; at < FILE.length; at += 1000) {
      const length = Math.min(1000, FILE.length - at);
      expect(Buffer.from(await source.read(at, length)).equals(FILE.subarray(at, at + length))).toBe(true);
    }
    expect(source.size).toBe(FILE.length);
    expect(server.seen.map((request) => request.range)).toEqual([
      `bytes=0-${MIB - 1}`,
      // The last read of the first block reached beyond it.
      `bytes=${MIB}-${3 * MIB - 1}`,
      `bytes=${3 * MIB}-${FILE.length - 1}`,
    ]);
  });

  it("reads anywhere, in any order, at the same time", async () => {
    const server = await serve({ "/m": ranges(FILE) });
    const source = await openAt(`${server.url}/m`);
    const reads = fc.array(fc.tuple(fc.nat(FILE.length), fc.nat(5000)), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(reads, async (places) => {
        const wanted = places.map(([at, length]) => [at, Math.min(length, FILE.length - at)] as const);
        const got = await Promise.all(wanted.map(([at, length]) => source.read(at, length)));
        const right = wanted.map(([at, length]) => FILE.subarray(at, at + length));
        expect(got.every((bytes, index) => Buffer.from(bytes).equals(right[index] ?? FILE))).toBe(true);
      }),
      { numRuns: 12 },
    );
  });

  it("follows redirects, asks the place they led to from then on, and shows it no credentials", async () => {
    const cdn = await serve({ "/signed": ranges(FILE) });
    const hub = await serve({
      "/m": redirect("/moved"),
      "/moved": redirect(`${cdn.url}/signed?secret=1`, 307),
    });
    const source = await openAt(`${hub.url}/m?token=x`, { headers: { Authorization: "Bearer t" } });
    await source.read(2 * MIB, 10);
    expect(hub.seen.map((request) => request.authorization)).toEqual(["Bearer t", "Bearer t"]);
    expect(cdn.seen.map((request) => request.authorization)).toEqual([undefined, undefined]);
    expect(source.name).toBe(`${hub.url}/m`);
  });

  it("goes back to the first URL when the signed one has expired", async () => {
    const cdn = await serve({ "/old": inTurn(ranges(FILE), refuse(403)), "/new": ranges(FILE) });
    const hub = await serve({ "/m": inTurn(redirect(`${cdn.url}/old`), redirect(`${cdn.url}/new`)) });
    const source = await openAt(`${hub.url}/m`);
    expect(Buffer.from(await source.read(2 * MIB, 4)).readUInt32LE()).toBe(2 * MIB);
  });

  it("tries again after 5xx and after a cut connection, and gives up with the count", async () => {
    const cut: Answer = (request, response) => {
      response.writeHead(206, {
        etag: '"v1"',
        "content-length": 1000,
        "content-range": `bytes 0-999/${FILE.length}`,
      });
      response.write(FILE.subarray(0, 500), () => request.socket.destroy());
    };
    const server = await serve({
      "/m": inTurn(refuse(503), cut, ranges(FILE)),
      "/dead": cut,
      "/busy": refuse(502),
    });
    const source = await openAt(`${server.url}/m`);
    expect(Buffer.from(await source.read(400, 4)).readUInt32LE()).toBe(400);
    for (const path of ["/dead", "/busy"])
      await expect(openAt(server.url + path)).rejects.toThrow(/tried 4 times/);
    expect(server.seen.filter((request) => request.path === "/busy")).toHaveLength(4);
  });

  it("keeps a small file whole where the server knows no ranges", async () => {
    const whole: Answer = (_, response) =>
      response.writeHead(200, { "content-length": 1000 }).end(FILE.subarray(0, 1000));
    const server = await serve({ "/m": whole });
    const source = await openAt(`${server.url}/m`);
    expect(source.size).toBe(1000);
    expect(Buffer.from(await source.read(400, 4)).readUInt32LE()).toBe(400);
    expect(server.seen).toHaveLength(1);
  });

  it("reads an empty file", async () => {
    const server = await serve({ "/m": ranges(new Uint8Array(0)) });
    expect((await openAt(`${server.url}/m`)).size).toBe(0);
  });

  it("joins ranges that are shorter than asked for", async () => {
    const miserly: Answer = (request, response) => {
      const [first = 0, end = 0] = (request.headers.range ?? "").match(/\d+/g)?.map(Number) ?? [];
      const last = Math.min(first + 399_999, end);
      response.writeHead(206, { "content-range": `bytes ${first}-${last}/${FILE.length}` });
      response.end(FILE.subarray(first, last + 1));
    };
    const source = await openAt(`${(await serve({ "/m": miserly })).url}/m`);
    const bytes = Buffer.from(await source.read(0, FILE.length));
    expect(bytes.equals(FILE)).toBe(true);
  });

  it("refuses a server that sends a file in crumbs", async () => {
    const crumbs: Answer = (request, response) => {
      const first = Number(request.headers.range?.match(/\d+/)?.[0]);
      response.writeHead(206, { "content-range": `bytes ${first}-${first + 9}/${FILE.length}` });
      response.end(FILE.subarray(first, first + 10));
    };
    const server = await serve({ "/m": crumbs });
    await expect(openAt(`${server.url}/m`)).rejects.toMatchObject({
      code: "hub.no-ranges",
      message: `The server of ${server.url}/m answers with 10 bytes where ${MIB} were asked for.`,
    });
    expect(server.seen).toHaveLength(1);
  });

  it.each(["ftp://me:p@ss:w@rd@host/m?sig=s3cret", "//me:p@ss:w@rd@host/m?sig=s3cret"])(
    "repeats no credentials of an address that it cannot open",
    async (url) => {
      const said = await openAt(url).then(() => "opened", String);
      expect(said).toContain("//host/m is no http or https URL");
      expect(said).not.toMatch(/p@ss|ss:w|rd@|s3cret/);
    },
  );

  const header = (status: number, headers: Readonly<Record<string, string | number>>): Answer => {
    return (_, response) => void response.writeHead(status, headers).end("x");
  };
  const wrong: readonly [name: string, answer: Answer, code: string, message: RegExp][] = [
    ["404", refuse(404), "hub.not-found", /answers 404/],
    ["401", refuse(401), "hub.denied", /answers 401/],
    ["403", refuse(403), "hub.denied", /answers 403/],
    ["418", refuse(418), "hub.unreachable", /answers 418/],
    [
      "a large file of a server without ranges",
      header(200, { "content-length": 20 * MIB }),
      "hub.no-ranges",
      /20\.00 MiB whole/,
    ],
    ["a stream of unknown length", header(200, {}), "hub.no-ranges", /unknown size/],
    ["another range", header(206, { "content-range": "bytes 5-5/9" }), "hub.no-ranges", /another range/],
    ["no range", header(206, {}), "hub.no-ranges", /another range/],
    [
      "a compressed range",
      header(206, { "content-encoding": "gzip", "content-range": "bytes 0-0/9" }),
      "hub.no-ranges",
      /gzip/,
    ],
    ["a redirect to nowhere", header(302, {}), "hub.unreachable", /to nowhere/],
    ["a redirect to a file", redirect("file:///etc/passwd"), "hub.unreachable", /file:/],
    ["redirects in a circle", redirect("/m"), "hub.unreachable", /more than 8 times/],
  ];
  it.each(wrong)("refuses %s", async (_, answer, code, message) => {
    const server = await serve({ "/m": answer });
    const thrown: unknown = await openAt(`${server.url}/m?token=hush`).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(String(thrown)).not.toContain("hush");
  });

  it("refuses a file that changes while it is read", async () => {
    const server = await serve({ "/m": inTurn(ranges(FILE), ranges(FILE, '"v2"')) });
    const source = await openAt(`${server.url}/m`);
    await expect(source.read(2 * MIB, 4)).rejects.toThrow(/changed while/);
  });

  it("reads no more than it may in all", async () => {
    const server = await serve({ "/m": ranges(FILE) });
    const source = await openAt(`${server.url}/m`, { mostBytes: 2 * MIB });
    await source.read(MIB, MIB);
    await expect(source.read(0, FILE.length)).rejects.toThrow(/at most 2\.00 MiB/);
    await expect(source.read(0, FILE.length + 1)).rejects.toMatchObject({ code: "model.truncated" });
  });

  it("ends at the signal, and refuses what is no URL without telling its password", async () => {
    const server = await serve({ "/m": () => {} });
    await expect(openAt(`${server.url}/m`, { signal: AbortSignal.timeout(50) })).rejects.toThrow(/timeout/);
    await expect(openUrl("ftp://me:hush@host/m?hush")).rejects.toThrow(/^ftp:\/\/host\/m is no http/);
  });

  it("names the host that nobody answers on", async () => {
    const server = await startFileServer({});
    await server.close();
    await expect(openAt(`${server.url}/m`)).rejects.toMatchObject({ code: "hub.unreachable" });
  });
});
