import fc from "fast-check";
import { Response } from "undici";
import { expect, test } from "vitest";

import type { MultipartModel } from "./multipart-model.ts";
import { multipartFor, readMultipart } from "./multipart-model.ts";

/** A form as a real client writes it. */
async function form(fields: Record<string, string | Uint8Array>): Promise<{ type: string; bytes: Buffer }> {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === "string") data.append(name, value);
    else data.append(name, new Blob([new Uint8Array(value)]), "audio.wav");
  }
  const sent = new globalThis.Response(data);
  return {
    type: sent.headers.get("content-type") ?? "",
    bytes: Buffer.from(await sent.arrayBuffer()),
  };
}

const read = (type: string, bytes: Buffer): MultipartModel => {
  const result = readMultipart(type, bytes);
  if ("status" in result) throw new Error(result.message);
  return result;
};

const written = (lines: readonly string[]): Buffer => Buffer.from(lines.join("\r\n"));
const TYPE = "multipart/form-data; boundary=b";
const refusal = (lines: readonly string[], type = TYPE): string => {
  const result = readMultipart(type, written(lines));
  return "status" in result ? result.message : "was taken";
};

test("the model of a form is found and replaced, the file stays byte for byte", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), fc.boolean(), async (file, before) => {
      const { type, bytes } = await form({
        ...(before ? { model: "mine", file } : { file, model: "mine" }),
        stream: "true",
      });
      const found = read(type, bytes);
      expect([found.model, found.stream]).toEqual(["mine", true]);
      const sent = multipartFor(found, "the engine's own, longer name");
      const parsed = await new Response(sent, { headers: { "content-type": type } }).formData();
      expect(parsed.get("model")).toBe("the engine's own, longer name");
      const blob = parsed.get("file");
      const content = blob instanceof Blob ? new Uint8Array(await blob.arrayBuffer()) : undefined;
      expect(content).toEqual(new Uint8Array(file));
      expect(multipartFor(found, "mine")).toBe(bytes);
    }),
    { numRuns: 40 },
  );
});

test("a form without a model gets one", async () => {
  const { type, bytes } = await form({ file: new Uint8Array([1, 2]), language: "de" });
  const found = read(type, bytes);
  expect([found.model, found.stream]).toEqual([undefined, false]);
  const parsed = await new Response(multipartFor(found, "whisper"), {
    headers: { "content-type": type },
  }).formData();
  expect(parsed.get("model")).toBe("whisper");
  expect(parsed.get("language")).toBe("de");
});

test("what could be read in two ways is refused", () => {
  const part = (name: string, value: string): string[] => [
    "--b",
    `Content-Disposition: form-data; name=${name}`,
    "",
    value,
  ];
  expect(refusal([...part('"model"', "m"), "--b--"])).toBe("was taken");
  expect(refusal([...part("model", "m"), "--b--", "epilogue"])).toBe("was taken");
  expect(refusal([...part('"model"', "m"), ...part('"model"', "n"), "--b--"])).toMatch(/appears twice/);
  expect(refusal([...part('"model"; filename="x"', "m"), "--b--"])).toMatch(/is a file/);
  expect(refusal([...part('"model"', "m".repeat(600)), "--b--"])).toMatch(/600 bytes/);
  expect(refusal([...part('"model"', "a\r\nb"), "--b--"])).toMatch(/more than one line/);
  expect(refusal(part('"model"', "m"))).toMatch(/ends inside a part/);
  expect(refusal(["--b", "x: y", "", "v", "--b--"])).toMatch(/no content-disposition/);
  expect(refusal(["--bx", "x: y", "", "v", "--b--"])).toMatch(/followed by something else/);
  expect(refusal(["nothing"])).toMatch(/holds no part/);
  expect(
    refusal(
      Array.from({ length: 300 }, () => part("x", "y"))
        .flat()
        .concat("--b--"),
    ),
  ).toMatch(/more than 256 parts/);
  for (const type of [
    "",
    "application/json",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/mixed; boundary=b",
    `multipart/form-data; boundary=${"b".repeat(71)}`,
  ]) {
    expect(refusal(["--b--"], type)).toMatch(/names no usable boundary/);
  }
});

test("any bytes at all are a form or a refusal", () => {
  const piece = fc.oneof(
    fc.constantFrom("\r\n", "--b", "--", 'content-disposition: form-data; name="model"', "\r\n\r\n", "m"),
    fc.string({ maxLength: 5 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const bytes = Buffer.from(pieces.join(""));
      const result = readMultipart(TYPE, bytes);
      const model = "status" in result ? "" : multipartFor(result, "other").toString();
      expect("status" in result || model.includes("other") || result.model === "other").toBe(true);
    }),
    { numRuns: 500 },
  );
});
