import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { readMultipart } from "./multipart-reader.ts";
import { boundaryOf, MultipartError } from "./part-head.ts";

const LIMITS = { bytes: 1_000_000, parts: 16, headBytes: 1000 };

async function* pieces(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes.length === 0 ? bytes.length : (sizes[i % sizes.length] ?? 1);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

interface Got {
  readonly name: string;
  readonly filename?: string;
  readonly type?: string;
  readonly text: string;
}

async function read(bytes: Buffer | string, boundary = "B", sizes: readonly number[] = []): Promise<Got[]> {
  const got: Got[] = [];
  for await (const { body, ...head } of readMultipart(pieces(Buffer.from(bytes), sizes), boundary, LIMITS)) {
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk);
    got.push({ ...head, text: Buffer.concat(chunks).toString("latin1") });
  }
  return got;
}

const form = (...parts: readonly string[]): string => `--B\r\n${parts.join("\r\n--B\r\n")}\r\n--B--\r\n`;
const field = (name: string, text: string): string =>
  `Content-Disposition: form-data; name="${name}"\r\n\r\n${text}`;

test("reads what undici's FormData writes, however it is cut into chunks", async () => {
  const parts = fc.array(
    fc.record({ name: fc.stringMatching(/^[a-z]{1,8}$/), bytes: fc.uint8Array({ maxLength: 300 }) }),
    { maxLength: 6 },
  );
  const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(parts, sizes, async (list, cuts) => {
      const data = new FormData();
      for (const { name, bytes } of list) data.append(name, new Blob([bytes.slice()]), `${name}.bin`);
      const request = new Request("http://x", { method: "POST", body: data });
      const body = Buffer.from(await request.arrayBuffer());
      const boundary = boundaryOf(request.headers.get("content-type") ?? undefined);
      const got = await read(body, boundary, cuts);
      expect(got.map(({ name, text }) => [name, text])).toEqual(
        list.map(({ name, bytes }) => [name, Buffer.from(bytes).toString("latin1")]),
      );
    }),
    { numRuns: 60 },
  );
});

test("a boundary that almost comes is a part of the body", async () => {
  const text = "\r\n--\r\n--A\r\r\n-\r\n--";
  for (const size of [1, 2, 3, 7])
    expect(await read(form(field("a", text), field("b", "")), "B", [size])).toEqual([
      { name: "a", text },
      { name: "b", text: "" },
    ]);
});

test("a part that nobody reads, or not to its end, is skipped whole", async () => {
  const names: string[] = [];
  const bytes = Buffer.from(form(field("a", "x".repeat(500)), field("b", "y".repeat(500)), field("c", "z")));
  for await (const part of readMultipart(pieces(bytes, [50]), "B", LIMITS)) {
    names.push(part.name);
    if (part.name === "b") for await (const _ of part.body) break;
  }
  expect(names).toEqual(["a", "b", "c"]);
});

test("names: quotes, folders, RFC 5987, control characters", async () => {
  const head = (disposition: string): string =>
    `content-disposition: form-data; ${disposition}\r\ncontent-type: text/plain\r\n\r\n`;
  const got = await read(
    form(
      head(String.raw`name="a\"b"; filename="C:\\x\\y.txt"`),
      head(`name=plain; filename*=UTF-8''na%C3%AFve.txt; filename="naive.txt"`),
      head(`name="n"; filename="../../etc/pass\u0000wd"`),
    ),
  );
  expect(got).toEqual([
    { name: 'a"b', filename: "y.txt", type: "text/plain", text: "" },
    { name: "plain", filename: "naïve.txt", type: "text/plain", text: "" },
    { name: "n", filename: "passwd", type: "text/plain", text: "" },
  ]);
});

describe("hostile forms are refused with a reason", () => {
  const many = form(...Array.from({ length: 100_000 }, () => field("a", "")));
  test.each([
    ["no boundary in the body", "no form at all", "invalid_multipart"],
    ["an empty body", "", "invalid_multipart"],
    ["a body cut in a part", form(field("a", "x")).slice(0, 50), "invalid_multipart"],
    ["a body cut in a head", '--B\r\nContent-Disposition: form-data; name="a', "invalid_multipart"],
    ["a body cut behind a boundary", "--B", "invalid_multipart"],
    ["junk behind a boundary", "--Bx", "invalid_multipart"],
    ["a part without a name", "--B\r\n\r\n\r\n--B--", "invalid_multipart"],
    ["a header without a colon", "--B\r\nnonsense\r\n\r\n\r\n--B--", "invalid_multipart"],
    ["10^5 parts", many.slice(0, 900_000), "too_many_parts"],
    ["a header bomb", `--B\r\nx: ${"y".repeat(5000)}\r\n\r\n`, "part_headers_too_large"],
    ["headers without end", `--B\r\n${"a: b\r\n".repeat(5000)}`, "part_headers_too_large"],
    ["a preamble without end", "x".repeat(5000), "invalid_multipart"],
    ["more bytes than allowed", form(field("a", "x".repeat(1_100_000))), "body_too_large"],
  ])("%s", async (_, bytes, code) => {
    for (const sizes of [[], [4096]])
      await expect(read(bytes, "B", sizes)).rejects.toMatchObject({ name: "MultipartError", code });
  });

  test.each([
    [undefined, "unsupported_media_type"],
    ["application/json", "unsupported_media_type"],
    ["multipart/form-data", "invalid_multipart"],
    ["multipart/form-data; boundary=", "invalid_multipart"],
    [`multipart/form-data; boundary=${"x".repeat(71)}`, "invalid_multipart"],
    ['multipart/form-data; boundary="a\u0000b"', "invalid_multipart"],
  ])("content-type %j", (type, code) => {
    expect(() => boundaryOf(type)).toThrow(expect.objectContaining({ code }));
  });
});

test("any bytes end in parts or a MultipartError", async () => {
  const token = fc.constantFrom(
    "--B",
    "\r\n",
    "--",
    "\r\n\r\n",
    'Content-Disposition: form-data; name="a"',
    "x",
    ": ",
    " ",
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(token, { maxLength: 30 }),
      fc.integer({ min: 1, max: 9 }),
      async (tokens, size) => {
        const end = await read(tokens.join(""), "B", [size]).catch((thrown: unknown) => thrown);
        expect(Array.isArray(end) || end instanceof MultipartError).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
});
