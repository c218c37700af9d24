import { stat } from "node:fs/promises";
import { findModelFamily, nearestModelFamily } from "../catalog/index.ts";
import { OmniError } from "../core/index.ts";
import { describedShape, readGgufShape, readHubShape, readModelFolder } from "../models/index.ts";
import type { ModelShape } from "../models/index.ts";
import { hubTarget } from "./hub-target.ts";

/** `DeepSeek-V3:Q4_K_M`: a known model in a quantization. */
const KNOWN = /^([^:/\\]+)(?::([\w.-]+))?$/;

/**
 * The shape of what was named on the command line: a GGUF file, a folder, a repository of a hub, or a known model. Throws
 * `OmniError` with a `model.*` or `hub.*` code.
 */
export async function inspectedShape(target: string): Promise<ModelShape> {
  if (target.startsWith("hf:")) return readHubShape(hubTarget(target));
  const found = await stat(target).catch(() => undefined);
  if (found?.isDirectory() === true) return readModelFolder(target);
  if (found !== undefined) return readGgufShape(target);
  return fromCatalog(target);
}

function fromCatalog(target: string): ModelShape {
  if (/^https?:\/\//i.test(target))
    throw new OmniError(
      "model.not-found",
      // What stands before the host or after the path may be a password.
      `${target.replace(/[?#].*$/s, "").replace(/\/\/[^/]*@/, "//")} is an address; models are read from files, folders and hubs.`,
      { hint: "Write hf:OWNER/REPO, or download the file and give its path." },
    );
  const [, name = target, quantization] = KNOWN.exec(target) ?? [];
  const family = findModelFamily(name);
  if (family !== undefined)
    return describedShape(family.dimensions, { quantization, origin: "catalog", name: family.name });
  // A path with a folder or an ending was meant as one; only a bare word can be a slip in a known name.
  const near = /[\\/]|\.(?:gguf|safetensors)$/i.test(target) ? undefined : nearestModelFamily(name);
  throw new OmniError(
    "model.not-found",
    `There is no file or folder ${target}${near === undefined ? "" : ", and no known model of that name"}.`,
    { hint: near === undefined ? "Check the path, or write hf:OWNER/REPO." : `Did you mean ${near}?` },
  );
}
