import { OmniError } from "../../core/index.ts";
import type { HubDigest } from "../../models/index.ts";
import { fileDigest, growingDigest } from "../file-digest.ts";
import type { GrowingDigest } from "../file-digest.ts";
import { downloadParts } from "./download-parts.ts";
import { downloadWhole } from "./download-whole.ts";
import type { FileDownload } from "./file-download.ts";
import { WholeFilesOnly } from "./receive.ts";
import { repairFile } from "./repair-file.ts";

/**
 * Brings everything that is missing of a file and ends when all of it has the hub's checksum. What is there stays, however
 * this ends. Throws `OmniError` `hub.*`, `pull.corrupt` when repair does not help, what the disk says, or the signal's reason.
 */
export async function downloadFile(download: FileDownload, wanted: HubDigest): Promise<void> {
  const { part, size, origin } = download;
  const found = await downloaded(download, wanted);
  if (found === wanted.hex) return;
  const outcome = await repairFile(
    download,
    async () => (await fileDigest(part.path, size, wanted.algorithm)) === wanted.hex,
  );
  if (outcome === "right") return;
  if (outcome === "same-again") await part.remove();
  throw new OmniError(
    "pull.corrupt",
    outcome === "same-again"
      ? `${origin.name} was fetched twice with the same bytes, and their ${wanted.algorithm} is ${found} where the hub states ${wanted.hex}.`
      : `${origin.name} has the ${wanted.algorithm} ${found} where the hub states ${wanted.hex}, also after every byte was compared with a second copy.`,
    outcome === "same-again"
      ? {
          hint: "The mirror serves another file than the hub lists; use another endpoint. What was fetched is removed.",
        }
      : {},
  );
}

async function downloaded(download: FileDownload, { algorithm }: HubDigest): Promise<string> {
  const { part, size } = download;
  const digest = growingDigest(part.path, size, algorithm);
  try {
    await bringAll(download, digest);
    return await digest.result;
  } finally {
    await digest.end();
  }
}

async function bringAll(download: FileDownload, digest: GrowingDigest): Promise<void> {
  try {
    await downloadParts(download, digest);
  } catch (thrown) {
    if (!(thrown instanceof WholeFilesOnly)) throw thrown;
    await downloadWhole(download, digest);
  }
}
