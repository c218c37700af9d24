import { OmniError } from "../core/index.ts";

/** `hf:OWNER/REPO[:QUANT][@REVISION]`, as in a spec; a file or a glob may stand for the quantization. */
const HUB = /^hf:([^:@]+)(?::([^:@]+))?(?:@(.+))?$/;

/** A repository of a hub as it is named on a command line. */
export interface HubTarget {
  readonly repo: string;
  readonly revision: string | undefined;
  readonly quantization?: string | undefined;
  readonly files?: readonly string[] | undefined;
}

/** Reads `hf:OWNER/REPO[:QUANT][@REVISION]`. Throws `OmniError` `cli.bad-argument`. */
export function hubTarget(target: string): HubTarget {
  const [, repo, chosen, revision] = HUB.exec(target) ?? [];
  if (repo === undefined || !repo.includes("/"))
    throw new OmniError("cli.bad-argument", `${JSON.stringify(target)} names no repository of a hub.`, {
      hint: "Write it as hf:OWNER/REPO, hf:OWNER/REPO:Q4_K_M or hf:OWNER/REPO@REVISION.",
    });
  const isFile = chosen !== undefined && /[*?]|\.gguf$/i.test(chosen);
  return { repo, revision, ...(isFile ? { files: [chosen] } : { quantization: chosen }) };
}
