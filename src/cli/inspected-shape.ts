import { stat } from "node:fs/promises";
import { findModelFamily, nearestModelFamily } from "../catalog/index.ts";
import { OmniError } from "../core/index.ts";
import { describedShape, readGgufShape, readHubShape, readModelFolder } from "../models/index.ts";
import type { ModelShape } from "../models/index.ts";

/** `hf:OWNER/REPO[:QUANT][@REVISION]`, as in a spec; a file or a glob may stand for the quantization. */
const HUB = /^hf:([^:@]+)(?::([^@:]+))?(?:@(.+))?$/;
/** `DeepSeek-V3:Q4_K_M`: a known model in a quantization. */
const KNOWN = /^([^:/\\]+)(?::([\w.-]+))?$/;

/**
 * The shape of what was named on the command line: a GGUF file, a folder, a repository of a hub, or a known model. Throws
 * `OmniError` with a `model.*` or `hub.*` code.
 */
export async function inspectedShape(target: string): Promise<ModelShape> {
  if (target.startsWith("hf:")) return fromHub(target);
  const found = await stat(target).catch(() => undefined);
  if (found?.isDirectory() === true) return readModelFolder(target);
  if (found !== undefined) return readGgufShape(target);
  return fromCatalog(target);
}

async function fromHub(target: string): Promise<ModelShape> {
  const [, repo, chosen, revision] = HUB.exec(target) ?? [];
  if (repo === undefined || !repo.includes("/"))
    throw new OmniError("cli.bad-argument", `${JSON.stringify(target)} names no repository of a hub.`, {
      hint: "Write it as hf:OWNER/REPO, hf:OWNER/REPO:Q4_K_M or hf:OWNER/REPO@REVISION.",
    });
  const isFile = chosen !== undefined && /[*?]|\.gguf$/i.test(chosen);
  return readHubShape({
    repo,
    revision,
    ...(isFile ? { files: [chosen] } : { quantization: chosen }),
  });
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
