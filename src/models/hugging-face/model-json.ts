import { formatBytes, messageOf, OmniError } from "../../core/index.ts";
import type { ByteSource } from "../byte-source.ts";

/** Reads a JSON file of a model. Throws `OmniError` `model.malformed` when it is larger than `most` bytes or no JSON. */
export async function readJson(source: ByteSource, most: number): Promise<unknown> {
  if (source.size > most)
    throw new OmniError(
      "model.malformed",
      `${source.name} has ${formatBytes(source.size)}; a file of its kind has at most ${formatBytes(most)}.`,
    );
  return parseJson(await source.read(0, source.size), source.name);
}

/** Parses JSON as Python writes it: `NaN` and `Infinity`, which JSON does not have, become null. */
export function parseJson(bytes: Uint8Array, name: string): unknown {
  const text = Buffer.from(bytes).toString("utf8");
  try {
    return JSON.parse(text);
  } catch (thrown) {
    if (!/Infinity|NaN/.test(text)) throw notJson(name, thrown);
    try {
      return JSON.parse(withoutNumbersOfPython(text));
    } catch {
      throw notJson(name, thrown);
    }
  }
}

const withoutNumbersOfPython = (text: string): string =>
  text.replaceAll(/"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/gs, (token) =>
    token.startsWith('"') ? token : "null",
  );

const notJson = (name: string, thrown: unknown): OmniError =>
  new OmniError("model.malformed", `${name} is not valid JSON: ${messageOf(thrown).slice(0, 200)}`, {
    cause: thrown,
  });
