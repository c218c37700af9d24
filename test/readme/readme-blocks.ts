import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../e2e/run-node.ts";

/** A block of commands as it stands in the README. */
export interface ReadmeBlock {
  /** The bold words of the paragraph above: `A first answer`. */
  readonly step: string;
  readonly commands: string;
  /** It keeps its terminal until Ctrl-C. */
  readonly stays: boolean;
}

const PIECE = /^\*\*([^*]+)\.\*\*|^(<!-- stays -->\n)?```sh\n([\s\S]*?)^```$/gm;

/** The shell blocks of "The first five minutes", in their order. */
export function firstFiveMinutes(): readonly ReadmeBlock[] {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const [, section = ""] = /^## The first five minutes\n([\s\S]*?)^## /m.exec(readme) ?? [];
  let step = "";
  return [...section.matchAll(PIECE)].flatMap(([, name, stays, commands]) => {
    if (name !== undefined) step = name;
    return commands === undefined ? [] : [{ step, commands, stays: stays !== undefined }];
  });
}
