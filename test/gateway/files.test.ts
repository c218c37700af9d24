import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import OpenAI, { toFile } from "openai";
import { afterEach, beforeEach, expect, test } from "vitest";

import { fileEndpoints } from "../../src/gateway/files/file-endpoints.ts";
import type { FileLimits } from "../../src/gateway/files/file-limits.ts";
import { FILE_LIMITS } from "../../src/gateway/files/file-limits.ts";
import { FileStore } from "../../src/gateway/files/file-store.ts";
import { serveSurface } from "../fakes/surface-server.ts";

let folder = "";
let server: Awaited<ReturnType<typeof serveSurface>> | undefined;
let now = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-files-"));
  now = Date.now();
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function start(limits: Partial<FileLimits> = {}): Promise<(key?: string) => OpenAI> {
  const store = await FileStore.open(folder, { ...FILE_LIMITS, ...limits }, () => now);
  server = await serveSurface(fileEndpoints(store));
  const baseURL = `${server.url}/v1`;
  return (key = "ada") => new OpenAI({ baseURL, apiKey: key, maxRetries: 0 });
}

const textFile = (text: string, name = "lines.jsonl"): ReturnType<typeof toFile> =>
  toFile(Buffer.from(text), name);

test("the official client uploads, lists, reads and deletes; each key sees its own", async () => {
  const client = await start();
  const text = "ünïcode\r\n--\n".repeat(20_000);
  const file = await client().files.create({ file: await textFile(text), purpose: "batch" });
  const bytes = Buffer.byteLength(text);
  expect(file).toMatchObject({
    object: "file",
    bytes,
    filename: "lines.jsonl",
    purpose: "batch",
    status: "processed",
  });
  expect(await (await client().files.content(file.id)).text()).toBe(text);
  expect(await client().files.retrieve(file.id)).toEqual(file);
  const other = await client("bob").files.create({ file: await textFile("x"), purpose: "user_data" });
  const ids = async (key: string): Promise<string[]> =>
    (await client(key).files.list()).data.map(({ id }) => id);
  expect(await ids("ada")).toEqual([file.id]);
  expect(await ids("bob")).toEqual([other.id]);
  expect((await ids("admin")).toSorted()).toEqual([file.id, other.id].toSorted());
  for (const ask of [
    () => client("bob").files.retrieve(file.id),
    () => client("bob").files.content(file.id),
    () => client("bob").files.delete(file.id),
    () => client("ada").files.retrieve("file-nothing"),
    () => client("ada").files.retrieve("../../etc/passwd"),
  ])
    await expect(ask()).rejects.toMatchObject({ status: 404, code: "file_not_found" });
  expect(await client().files.delete(file.id)).toEqual({ id: file.id, object: "file", deleted: true });
  expect(readdirSync(folder).toSorted()).toEqual([`${other.id}.data`, `${other.id}.json`]);
  expect(statSync(join(folder, `${other.id}.data`)).mode & 0o777).toBe(0o600);
});

test("pages of a list, and files of a purpose", async () => {
  const client = await start();
  const made: string[] = [];
  for (const purpose of ["batch", "user_data", "batch"] as const) {
    now += 1000;
    made.push((await client().files.create({ file: await textFile("x"), purpose })).id);
  }
  const seen: string[] = [];
  for await (const file of client().files.list({ limit: 2 })) seen.push(file.id);
  expect(seen).toEqual(made.toReversed());
  expect((await client().files.list({ purpose: "user_data" })).data.map(({ id }) => id)).toEqual([made[1]]);
  await expect(client().files.list({ limit: 0 })).rejects.toMatchObject({
    status: 400,
    code: "invalid_value",
  });
});

test("bounds: one file, one key, all files, their number and their age", async () => {
  const client = await start({ fileBytes: 1000, keyBytes: 1500, totalBytes: 2200, files: 4, age: 7200 });
  const put = async (size: number, key?: string): Promise<OpenAI.FileObject> =>
    client(key).files.create({ file: await textFile("x".repeat(size)), purpose: "batch" });
  await expect(put(1001)).rejects.toMatchObject({ status: 413, code: "file_too_large" });
  await put(1000);
  await expect(put(501)).rejects.toMatchObject({ status: 507, code: "storage_full" });
  await put(500);
  await put(700, "bob");
  await expect(put(1, "eve")).rejects.toMatchObject({ status: 507, code: "storage_full" });
  await put(0, "eve");
  await expect(put(0, "eve")).rejects.toMatchObject({ status: 507, code: "too_many_files" });
  expect(readdirSync(folder)).toHaveLength(8);
  now += 7_200_000;
  await put(1000, "eve");
  expect(readdirSync(folder)).toHaveLength(2);
});

test("an end of its own is kept to", async () => {
  const client = await start();
  const file = await client().files.create({
    file: await textFile("x"),
    purpose: "batch",
    expires_after: { anchor: "created_at", seconds: 3600 },
  });
  expect(file.expires_at).toBe(file.created_at + 3600);
  now += 3_600_000;
  await expect(client().files.retrieve(file.id)).rejects.toMatchObject({ status: 404 });
});

test("refused forms leave nothing behind, and the connection answers", async () => {
  const client = await start({ fileBytes: 100_000 });
  const url = `${server?.url ?? ""}/v1/files`;
  const post = async (body: string | FormData, type?: string): Promise<unknown> => {
    const headers = type === undefined ? {} : { "content-type": type };
    const answer = await fetch(url, { method: "POST", body, headers });
    const { error } = JSON.parse(await answer.text());
    return `${answer.status} ${error.code}`;
  };
  const form = (fields: Record<string, string | Blob>): FormData => {
    const data = new FormData();
    for (const [name, value] of Object.entries(fields)) data.append(name, value);
    return data;
  };
  const two = form({ file: new Blob(["x"]), purpose: "batch" });
  two.append("file", new Blob(["y"]));
  const part = (name: string): string => `--B\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n`;
  const multi = "multipart/form-data; boundary=B";
  expect(await post("{}", "application/json")).toBe("415 unsupported_media_type");
  expect(await post("x", "multipart/form-data")).toBe("400 invalid_multipart");
  expect(await post("x", multi)).toBe("400 invalid_multipart");
  expect(await post(`${part("file")}half a file`, multi)).toBe("400 invalid_multipart");
  expect(await post(`${part("a")}\r\n`.repeat(100_000), multi)).toBe("413 too_many_parts");
  expect(await post(`--B\r\na: ${"b".repeat(60_000)}`, multi)).toBe("413 part_headers_too_large");
  expect(await post(form({ purpose: "batch" }))).toBe("400 missing_field");
  expect(await post(form({ file: new Blob(["x"]) }))).toBe("400 missing_field");
  expect(await post(form({ file: new Blob(["x"]), purpose: "evil" }))).toBe("400 invalid_value");
  expect(await post(form({ file: new Blob(["x"]), purpose: "x".repeat(5000) }))).toBe("413 part_too_large");
  expect(await post(two)).toBe("400 invalid_multipart");
  expect(await post(form({ file: new Blob(["x".repeat(3_000_000)]), purpose: "batch" }))).toBe(
    "413 file_too_large",
  );
  expect(readdirSync(folder)).toEqual([]);
  await client().files.create({ file: await textFile("x"), purpose: "batch" });
});

test("a client that goes in the middle leaves nothing behind", async () => {
  await start();
  const socket = connect(Number(new URL(server?.url ?? "").port), "127.0.0.1");
  await once(socket, "connect");
  socket.write("POST /v1/files HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=B\r\n");
  socket.write(
    'content-length: 100000\r\n\r\n--B\r\ncontent-disposition: form-data; name="file"\r\n\r\nhalf a file',
  );
  await expect.poll(() => readdirSync(folder).length, { timeout: 15_000 }).toBe(1);
  socket.destroy();
  await expect.poll(() => readdirSync(folder), { timeout: 15_000 }).toEqual([]);
});

test("what a killed process left is cleared at the next start; what is whole stays", async () => {
  const store = await FileStore.open(folder, FILE_LIMITS);
  const received = await store.receive(
    "ada",
    (async function* () {
      yield Buffer.from("whole");
    })(),
  );
  const file = await received.keep({ owner: "ada", filename: "f", purpose: "batch" });
  // No process has such a number.
  writeFileSync(join(folder, "file-0.data.part-99999999"), "half");
  writeFileSync(join(folder, "file-1.json"), "{");
  const again = await FileStore.open(folder, FILE_LIMITS);
  expect(await again.list()).toEqual([file]);
  expect(readFileSync(again.path(file.id), "utf8")).toBe("whole");
  expect(readdirSync(folder)).not.toContain("file-0.data.part-99999999");
});
