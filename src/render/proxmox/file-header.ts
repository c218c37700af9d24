import { hashComment } from "../escape/shell.ts";

/** First words of the comment in each file; the apply script takes back only files that begin with them. */
export const HEADER_MARK = "Rendered by Omni";

/** The comment that a rendered file begins with: whose it is, what it is for, and any lines that explain it. */
export const fileHeader = (deployment: string, ...paragraphs: readonly string[]): string =>
  hashComment(
    [
      `${HEADER_MARK} from omni.yaml (${deployment}). Change the spec and render again, not this file.`,
      ...paragraphs,
    ].join("\n"),
  );
