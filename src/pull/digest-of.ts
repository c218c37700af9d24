import { OmniError } from "../core/index.ts";
import type { HubDigest, HubFile, HubListing } from "../models/index.ts";

/** The checksum that the hub states for a file. Throws `OmniError` `pull.no-checksum` where it states none. */
export function digestOf({ path, digest }: HubFile, { endpoint }: Pick<HubListing, "endpoint">): HubDigest {
  if (digest !== undefined) return digest;
  throw new OmniError("pull.no-checksum", `${endpoint.host} states no checksum for ${path}.`);
}
