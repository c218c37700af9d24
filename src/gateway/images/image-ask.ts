import { z } from "zod";

import { formatBytes } from "../../core/index.ts";
import type { WireError } from "../wire-error.ts";
import { badRequest } from "../wire-error.ts";
import { imageFormat } from "./image-bytes.ts";
import type { ImageLimits } from "./image-limits.ts";

const QUALITIES = ["auto", "standard", "low", "medium", "high", "hd", "xhigh", "max"] as const;

/** A whole number; forms send it as text. */
const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);
/** OpenAI's clients send `null` for what they leave open. */
const open = <S extends z.ZodType>(schema: S) =>
  z.preprocess((value) => (value === null || value === "" ? undefined : value), schema.optional());
const flag = z.preprocess(
  (value) => (value === "true" ? true : value === "false" ? false : value),
  z.boolean(),
);

const asked = (limits: ImageLimits) =>
  z.object({
    model: open(z.string().max(512)),
    prompt: z.string().min(1).max(limits.promptCharacters),
    negative_prompt: open(z.string().max(limits.promptCharacters)),
    n: open(whole(1, limits.images)),
    size: open(z.string().max(20)),
    quality: open(z.enum(QUALITIES)),
    seed: open(whole(0, Number.MAX_SAFE_INTEGER - limits.images)),
    steps: open(whole(1, limits.steps)),
    response_format: open(z.enum(["b64_json", "url"])),
    output_format: open(z.enum(["png", "webp", "jpeg", "gif", "svg"])),
    background: open(z.enum(["auto", "opaque", "transparent"])),
    stream: open(flag),
    partial_images: open(whole(0, 3)),
  });

/** A request for images, read and bounded. */
export interface ImageAsk {
  /** Which path was asked; names the events of a stream. */
  readonly kind: "image_generation" | "image_edit";
  readonly model: string | undefined;
  readonly prompt: string;
  readonly negativePrompt: string | undefined;
  readonly n: number;
  /** `undefined` for auto: the template's own. */
  readonly size: { readonly width: number; readonly height: number } | undefined;
  readonly quality: string | undefined;
  readonly seed: number | undefined;
  readonly steps: number | undefined;
  readonly url: boolean;
  readonly stream: boolean;
  /** Previews of a stream, at most. */
  readonly previews: number;
  readonly images: readonly Buffer[];
  readonly mask: Buffer | undefined;
}

/** Reads the fields of a request; images come apart, because forms and JSON carry them differently. */
export function readImageAsk(
  kind: ImageAsk["kind"],
  fields: Readonly<Record<string, unknown>>,
  images: readonly Buffer[],
  mask: Buffer | undefined,
  limits: ImageLimits,
): ImageAsk | WireError {
  const parsed = asked(limits).safeParse(fields);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const param = issue?.path.join(".") ?? "";
    return badRequest("invalid_value", `${param}: ${issue?.message ?? "it cannot be used"}.`, param);
  }
  const ask = parsed.data;
  const size = readSize(ask.size ?? "auto", limits.side);
  if (size !== undefined && "status" in size) return size;
  const refused = refuseFormat(ask) ?? refuseImages(images, mask, limits);
  if (refused !== undefined) return refused;
  return {
    kind,
    model: ask.model,
    prompt: ask.prompt,
    negativePrompt: ask.negative_prompt,
    n: ask.n ?? 1,
    size,
    quality: ask.quality,
    seed: ask.seed,
    steps: ask.steps,
    url: ask.response_format === "url",
    stream: ask.stream ?? false,
    previews: ask.partial_images ?? 3,
    images,
    mask,
  };
}

/** `1024x768` in pixels, `undefined` for auto. Diffusion models work on blocks of 8 pixels. */
function readSize(
  text: string,
  most: number,
): { readonly width: number; readonly height: number } | undefined | WireError {
  if (text === "auto") return undefined;
  const match = /^(\d{1,5})[x×](\d{1,5})$/.exec(text);
  const [width, height] = [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
  const fits = (side: number): boolean => side >= 64 && side <= most && side % 8 === 0;
  if (fits(width) && fits(height)) return { width, height };
  return badRequest(
    "invalid_size",
    `size is auto or WIDTHxHEIGHT, each a multiple of 8 from 64 to ${most}; this is ${text.slice(0, 40)}.`,
    "size",
  );
}

function refuseFormat(ask: {
  output_format?: string | undefined;
  background?: string | undefined;
  response_format?: string | undefined;
  stream?: boolean | undefined;
}): WireError | undefined {
  if (ask.output_format !== undefined && ask.output_format !== "png")
    return badRequest(
      "unsupported_format",
      `The answer is what the workflow saves, usually png; it is not turned into ${ask.output_format}.`,
      "output_format",
    );
  if (ask.background === "transparent")
    return badRequest("unsupported_background", "No workflow makes transparency by request.", "background");
  if (ask.stream === true && ask.response_format === "url")
    return badRequest("invalid_value", "A stream carries its images; ask for b64_json.", "response_format");
  return undefined;
}

function refuseImages(
  images: readonly Buffer[],
  mask: Buffer | undefined,
  limits: ImageLimits,
): WireError | undefined {
  if (images.length > limits.inputs)
    return badRequest("too_many_images", `An edit takes at most ${limits.inputs} images.`, "image");
  for (const [bytes, param] of [
    ...images.map((bytes) => [bytes, "image"] as const),
    [mask, "mask"] as const,
  ]) {
    if (bytes === undefined) continue;
    if (bytes.length > limits.inputBytes)
      return {
        ...badRequest("image_too_large", `${param} is larger than ${formatBytes(limits.inputBytes)}.`, param),
        status: 413,
      };
    if (imageFormat(bytes) === undefined)
      return badRequest("invalid_image", `${param} is no PNG, JPEG, WebP or GIF.`, param);
  }
  return undefined;
}
