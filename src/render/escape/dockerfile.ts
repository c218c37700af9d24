import { OmniError } from "../../core/index.ts";
import { shellWord } from "./shell.ts";

/** An image reference: registry with port, path, tag, digest (distribution/reference). */
const IMAGE =
  /^[a-z0-9][\w.-]*(?::\d+)?(?:\/[a-z0-9][\w.-]*)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/i;

/**
 * A value of ENV, ARG or LABEL between double quotes, in which backslash, quote and dollar are escaped. An instruction
 * ends with its line, so a line break cannot be written. Throws `OmniError` `render.unrepresentable`.
 */
export function dockerfileValue(text: string, place: string): string {
  refuseControls(text, place);
  return `"${text.replaceAll(/["$\\]/g, String.raw`\$&`)}"`;
}

/** The name of a variable. Throws `OmniError` `render.unrepresentable`. */
export function dockerfileName(text: string, place: string): string {
  if (/^[A-Za-z_]\w*$/.test(text)) return text;
  throw unrepresentable(place, "is no name of a variable", "Use letters, digits and underscores.");
}

/**
 * One word of a RUN instruction in shell form. Two `<` are parted by closing and opening the quotes: some builders look
 * for here-documents without regard to quotes. Throws `OmniError` `render.unrepresentable`.
 */
export function runWord(text: string, place: string): string {
  refuseControls(text, place);
  return shellWord(text).replaceAll(/<(?=<)/g, "<''");
}

/** An image in FROM, where nothing can be quoted. Throws `OmniError` `render.unrepresentable`. */
export function dockerfileImage(text: string, place: string): string {
  if (IMAGE.test(text)) return text;
  throw unrepresentable(place, "is no reference to an image", "Write it as registry/name:tag@sha256:digest.");
}

/** A command in exec form: a JSON list, which no shell looks at. */
export const execForm = (words: readonly string[]): string =>
  `[${words.map((word) => JSON.stringify(word)).join(", ")}]`;

// oxlint-disable-next-line no-control-regex -- they are what is refused
const CONTROLS = /[\u0000-\u0008\u000a-\u001f\u007f\u0085\u2028\u2029]/;

function refuseControls(text: string, place: string): void {
  if (CONTROLS.test(text))
    throw unrepresentable(
      place,
      "holds a line break or control character",
      "An instruction ends with its line.",
    );
}

const unrepresentable = (place: string, what: string, hint: string): OmniError =>
  new OmniError("render.unrepresentable", `${place} ${what} and cannot stand in a Dockerfile.`, { hint });
