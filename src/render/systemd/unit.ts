import { hashComment } from "../escape/shell.ts";

/** A line of a unit: a setting, or a comment for whoever reads it at night. */
export type UnitLine = readonly [key: string, value: string] | { readonly comment: string };

export interface Unit {
  /** What it is, that Omni rendered it, how it is used. */
  readonly header: readonly string[];
  readonly sections: readonly { readonly name: string; readonly lines: readonly UnitLine[] }[];
}

/** A unit as a file; sections without lines are left out. Values must be escaped already. */
export const unitFile = ({ header, sections }: Unit): string =>
  [
    header.map((line) => hashComment(line)).join("\n"),
    ...sections
      .filter(({ lines }) => lines.length > 0)
      .map(({ name, lines }) => `[${name}]\n${lines.map(lineText).join("\n")}`),
  ]
    .join("\n\n")
    .concat("\n");

const lineText = (line: UnitLine): string =>
  "comment" in line ? hashComment(line.comment) : `${line[0]}=${line[1]}`;

/** `ms` as systemd writes time spans. */
export const timeSpan = (ms: number): string => (ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`);
