import { TARGETS } from "../render/index.ts";
import type { RenderedNode } from "../render/index.ts";
import type { ComparedFolder, FileState } from "./output-folder/compare-folder.ts";
import { differences } from "./output-folder/write-folder.ts";
import type { Terminal } from "./terminal.ts";

/** Prints the files of a rendering by target, each with who asks for it. */
export function printListing({ files, owners }: RenderedNode, { out, style }: Terminal): void {
  for (const owner of owners) {
    if (!files.some((file) => file.owner === owner)) continue;
    const about = TARGETS.find(({ name }) => name === owner)?.about ?? "the folder as a whole";
    out(`${style("bold", owner)}  ${style("dim", about)}`);
    for (const file of files.filter((one) => one.owner === owner)) {
      out(`  ${file.path}`);
      out(`      ${style("dim", file.reason)}`);
    }
  }
}

/** What a state means for a folder that is written to, and for one that is only looked at. */
const WORDS: Readonly<Record<FileState, readonly [written: string, seen: string]>> = {
  same: ["", ""],
  missing: ["written", "missing"],
  stale: ["written", "stale: rendered from an earlier spec"],
  edited: ["written over an edit", "edited since Omni wrote it"],
  mode: ["written", "its permissions were changed"],
  obsolete: ["removed", "not rendered any more"],
  "edited-obsolete": ["left: edited, and not rendered any more", "edited, and not rendered any more"],
  foreign: ["left", "not Omni's, and in the way"],
};

/** Prints what differs between a folder and what the spec renders to, a line a file. */
export function printChanges(
  compared: ComparedFolder,
  { reading, terminal }: { readonly reading: boolean; readonly terminal: Terminal },
): void {
  const changed = differences(compared);
  for (const { path, state } of changed)
    terminal.out(`${terminal.style(COLOURS[state], path)}  ${WORDS[state][reading ? 1 : 0]}`);
  if (reading && changed.length === 0 && compared.manifestDiffers)
    terminal.out("omni-manifest.json  missing, or not that of these files");
}

const COLOURS: Readonly<Record<FileState, "green" | "yellow" | "red" | "dim">> = {
  same: "dim",
  missing: "green",
  stale: "yellow",
  edited: "red",
  mode: "yellow",
  obsolete: "yellow",
  "edited-obsolete": "red",
  foreign: "red",
};
