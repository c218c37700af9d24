import type { IncomingMessage } from "node:http";
import { z } from "zod";

import { formatBytes, KIB, MIB } from "../../core/index.ts";
import { fieldText, partBytes, readMultipart } from "../files/multipart-reader.ts";
import { boundaryOf, MultipartError } from "../files/part-head.ts";
import { bodyChunks } from "../files/upload-file.ts";
import type { WireError } from "../wire-error.ts";
import { badRequest } from "../wire-error.ts";
import type { ImageAsk } from "./image-ask.ts";
import { readImageAsk } from "./image-ask.ts";
import { bytesFromText } from "./image-bytes.ts";
import type { ImageLimits } from "./image-limits.ts";

/** Largest text field of a form: a prompt of characters of 4 bytes. */
const FIELD_BYTES = 128 * KIB;
/** A request without images: two prompts, each character escaped. */
const TEXT_BYTES = MIB;

/** Reads a request for images. Throws MultipartError, and what the connection throws. */
export async function readImageRequest(
  kind: ImageAsk["kind"],
  req: IncomingMessage,
  limits: ImageLimits,
): Promise<ImageAsk | WireError> {
  const form = /^multipart\//i.test(req.headers["content-type"] ?? "");
  if (form && kind === "image_edit") return readForm(req, limits);
  if (form)
    return { ...badRequest("unsupported_media_type", "Send JSON; only edits take a form."), status: 415 };
  return readJson(
    kind,
    await bodyText(req, kind === "image_edit" ? limits.requestBytes : TEXT_BYTES),
    limits,
  );
}

async function bodyText(req: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of bodyChunks(req)) {
    size += chunk.length;
    if (size > limit)
      throw new MultipartError(
        "body_too_large",
        `The request body is larger than ${formatBytes(limit)}.`,
        413,
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** An image in JSON: its bytes as text, OpenAI's `{image_url}`, one or several. */
const image = z.union([
  z.string(),
  z.looseObject({ image_url: z.string() }).transform((value) => value.image_url),
]);
const several = z.union([image.transform((value) => [value]), z.array(image)]);
const jsonImages = z.looseObject({
  image: several.nullish(),
  images: several.nullish(),
  mask: image.nullish(),
});

function readJson(kind: ImageAsk["kind"], text: string, limits: ImageLimits): ImageAsk | WireError {
  const fields = objectIn(text);
  if (fields === undefined) return badRequest("invalid_json", "The body is not a JSON object.");
  if (kind === "image_generation") return readImageAsk(kind, fields, [], undefined, limits);
  const parsed = jsonImages.safeParse(fields);
  const texts = parsed.success ? (parsed.data.image ?? parsed.data.images ?? []) : [];
  const images = texts.map(bytesFromText);
  const sentMask = parsed.data?.mask ?? undefined;
  const mask = sentMask === undefined ? undefined : bytesFromText(sentMask);
  const decoded = images.filter((bytes) => bytes !== undefined);
  if (
    decoded.length === 0 ||
    decoded.length < images.length ||
    (sentMask !== undefined && mask === undefined)
  )
    return badRequest(
      "invalid_image",
      "An edit takes its images and mask as base64 or data: URLs; addresses are not fetched.",
      "image",
    );
  return readImageAsk(kind, fields, decoded, mask, limits);
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return z.record(z.string(), z.unknown()).safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

async function readForm(req: IncomingMessage, limits: ImageLimits): Promise<ImageAsk | WireError> {
  const fields: Record<string, string> = {};
  const images: Buffer[] = [];
  let mask: Buffer | undefined;
  const bounds = {
    bytes: limits.requestBytes,
    parts: 64,
    headBytes: 8 * KIB,
  };
  const boundary = boundaryOf(req.headers["content-type"]);
  for await (const part of readMultipart(bodyChunks(req), boundary, bounds)) {
    if (/^image(?:\[\d*\])?$/.test(part.name)) {
      if (images.length >= limits.inputs)
        return badRequest("too_many_images", `An edit takes at most ${limits.inputs} images.`, "image");
      images.push(await partBytes(part, limits.inputBytes));
    } else if (part.name === "mask") mask = await partBytes(part, limits.inputBytes);
    else fields[part.name] = await fieldText(part, FIELD_BYTES);
  }
  if (images.length === 0) return badRequest("missing_field", 'An edit needs an "image".', "image");
  return readImageAsk("image_edit", fields, images, mask, limits);
}
