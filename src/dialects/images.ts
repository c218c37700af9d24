import type { JsonObject } from "./dialect.ts";
import { requireObject, requireText, shown } from "./fields.ts";
import { DialectError } from "./translation.ts";

const DATA_URL = /^data:([\w.+-]+\/[\w.+-]+);base64,/i;

/** Anthropic's image source as the URL that OpenAI's dialect wants. Throws `DialectError` for files of the provider. */
export function imageUrl(source: unknown, param: string): string {
  const known = requireObject(source, param);
  switch (known["type"]) {
    case "base64": {
      const media = requireText(known["media_type"], `${param}.media_type`);
      return `data:${media};base64,${requireText(known["data"], `${param}.data`)}`;
    }
    case "url":
      return requireText(known["url"], `${param}.url`);
    default:
      throw new DialectError(
        `${param}.type`,
        `${param}.type: this engine takes images as base64 or url; files that were uploaded to a provider are not here.`,
      );
  }
}

/** An image's URL as Anthropic's source: data URLs as base64, others by their address. */
export function imageSource(url: string, param: string): JsonObject {
  const media = DATA_URL.exec(url);
  if (media !== null) {
    return { type: "base64", media_type: media[1] ?? "", data: url.slice(media[0].length) };
  }
  if (/^https?:\/\//i.test(url)) return { type: "url", url };
  throw new DialectError(
    param,
    `${param}: expected a base64 data URL or an http(s) URL, found ${shown(url)}.`,
  );
}
