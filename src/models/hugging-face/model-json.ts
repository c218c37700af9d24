import { formatBytes, messageOf, OmniError } from "../../core/index.ts";
import type { ByteSource } from "../byte-source.ts";
import { shown } from "../shown.ts";
import { boundedJson } from "./bounded-json.ts";

/** Reads a JSON file of a model. Throws `OmniError` `model.malformed` when it is larger than `most` bytes or no JSON. */
export async function readJson(source: ByteSource, most: number): Promise<unknown> {
  if (source.size > most)
    throw new OmniError(
      "model.malformed",
      `${source.name} has ${formatBytes(source.size)}; a file of its kind has at most ${formatBytes(most)}.`,
    );
  return parseJson(await source.read(0, source.size), source.name);
}

/**
 * Parses JSON as Python writes it: `NaN` and `Infinity`, which JSON does not have, become null. Throws `OmniError`
 * `model.malformed` for what is no JSON, and for more of it than any model's file holds.
 */
export function parseJson(bytes: Uint8Array, name: string): unknown {
  const json = boundedJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"));
  if ("refusal" in json)
    throw new OmniError("model.malformed", `${name} ${json.refusal}; no model's file does.`);
  try {
    return JSON.parse(json.text);
  } catch (thrown) {
    throw new OmniError("model.malformed", `${name} is not valid JSON: ${shown(messageOf(thrown), 200)}.`, {
      cause: thrown,
    });
  }
}
