import { z } from "zod";
import { messageOf, OmniError } from "../core/index.ts";
import { isOutputPath } from "./output-path.ts";
import type { RenderedFile } from "./render-node.ts";

/** Name of the manifest within the output folder. */
export const MANIFEST = "omni-manifest.json";

const entrySchema = z.object({
  // A hand that wrote ../../etc/passwd here must not make Omni read or remove it.
  path: z.string().refine(isOutputPath, "a path leads out of the folder, or is none of Omni's"),
  target: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  mode: z.string().regex(/^[0-7]{4}$/),
  reason: z.string(),
});
const manifestSchema = z.object({ omni: z.literal(1), files: z.array(entrySchema) });

/** One file of the output folder as the manifest remembers it. */
export type ManifestEntry = z.infer<typeof entrySchema>;

export const entryOf = ({ path, owner, sha256, mode, reason }: RenderedFile): ManifestEntry => ({
  path,
  target: owner,
  sha256,
  mode: mode.toString(8).padStart(4, "0"),
  reason,
});

/** The manifest of an output folder: every file of Omni's with its hash and who asks for it, sorted by path. */
export const manifestText = (entries: readonly ManifestEntry[]): string =>
  `${JSON.stringify({ omni: 1, files: entries.toSorted((a, b) => (a.path < b.path ? -1 : 1)) }, null, 2)}\n`;

/** Reads a manifest. Throws `OmniError` `render.manifest-invalid`: without it nobody knows which files are Omni's. */
export function parseManifest(text: string, place: string): readonly ManifestEntry[] {
  try {
    return manifestSchema.parse(JSON.parse(text)).files;
  } catch (thrown) {
    const why = thrown instanceof z.ZodError ? thrown.issues[0]?.message : messageOf(thrown);
    throw new OmniError(
      "render.manifest-invalid",
      `${place} is no manifest that Omni wrote: ${why ?? "it is another document"}.`,
      { cause: thrown },
    );
  }
}
