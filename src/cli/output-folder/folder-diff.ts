import { createTwoFilesPatch } from "diff";
import type { ComparedFolder } from "./compare-folder.ts";
import { differences } from "./write-folder.ts";

/** What writing would change, as unified diffs: what the folder holds against what the spec renders to. */
export function folderDiff(compared: ComparedFolder): readonly string[] {
  return differences(compared).flatMap(({ path, state, found, wanted }) => {
    if (state === "edited-obsolete") return [`# ${path} was edited and is not rendered any more; it stays`];
    if (state === "mode") return [`# ${path}: permissions become ${(wanted?.mode ?? 0).toString(8)}`];
    const from = found === undefined ? "/dev/null" : `a/${path}`;
    const to = wanted === undefined ? "/dev/null" : `b/${path}`;
    const patch = createTwoFilesPatch(from, to, found ?? "", wanted?.content ?? "", undefined, undefined, {
      context: 3,
    });
    return [patch.replace(/^=+\n/, "").replace(/\n$/, "")];
  });
}
