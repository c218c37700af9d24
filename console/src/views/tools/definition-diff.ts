import { diffLines } from "diff";
import { prettyJson } from "../../parts/pretty-json.ts";
import { visibleText } from "./visible-text.ts";

/** A line of two definitions: in both, only in the accepted one, only in the one that is offered. */
export interface DiffLine {
  readonly number: number;
  readonly kind: "same" | "taken" | "added";
  readonly text: string;
}

/** What is other in the offered definition, line by line; texts with line breaks are laid out as people read them. */
export function definitionDiff(accepted: string, offered: string): readonly DiffLine[] {
  const lines = diffLines(readable(accepted), readable(offered)).flatMap(({ value, added, removed }) =>
    value
      .replace(/\n$/, "")
      .split("\n")
      .map((text) => ({
        kind: added ? ("added" as const) : removed ? ("taken" as const) : ("same" as const),
        text,
      })),
  );
  return lines.map((line, number) => ({ ...line, number }));
}

/** A definition with a line for each line of its texts. */
const readable = (definition: string): string =>
  `${visibleText(prettyJson(definition)).replaceAll("\\n", "\n")}\n`;
