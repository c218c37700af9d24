import { foldText } from "./fold.ts";
import { Refusal, shown } from "./refusal.ts";

/** A path as a client gives it: `root/folder/file`, always with the name of its root. */
export interface ClientPath {
  readonly root: string;
  /** Names beneath the root, outermost first; none for the root itself. */
  readonly names: readonly string[];
}

/** Linux's NAME_MAX and PATH_MAX in bytes, and more folders in each other than people make. */
const LONGEST_NAME = 255;
const LONGEST_PATH = 4096;
const DEEPEST = 64;

/** Control characters, separators of lines, and those that turn the direction of what a person reads. */
const TRICKS = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/u;

/**
 * Why a name can be no part of a path here, or `undefined` when it can. What one system takes for another path than the
 * next one does is refused on all: backslashes, trailing dots and spaces, characters that fold to a dot or a slash.
 */
export function nameFault(name: string): string | undefined {
  if (name === "") return "has an empty part";
  if (name === "." || name === "..") return `has the part ${shown(name)}`;
  if (name.includes("\\")) return "has a backslash; parts are separated by /";
  if (!name.isWellFormed() || name.includes("\ufffd")) return "is not valid Unicode";
  if (TRICKS.test(name)) return "has control characters";
  if (Buffer.byteLength(name) > LONGEST_NAME) return `has a part of more than ${LONGEST_NAME} bytes`;
  if (/[.\s]$/u.test(name)) return "has a part that ends in a dot or a space";
  const folded = foldText(name);
  if (/^\.*$/.test(folded) || /[/\\]/.test(folded)) return "has characters that stand for dots or slashes";
  return undefined;
}

/** Takes a client's path apart. Throws `Refusal` for every form but `root/folder/file`; nothing is corrected or decoded. */
export function clientPath(text: string): ClientPath {
  const refuse = (why: string): never => {
    throw new Refusal(
      `The path ${shown(text)} ${why}. Paths have the form root/folder/file; list_roots shows the roots.`,
    );
  };
  if (text === "") refuse("is empty");
  if (Buffer.byteLength(text) > LONGEST_PATH) refuse(`has more than ${LONGEST_PATH} bytes`);
  if (text.startsWith("/")) refuse("is absolute");
  if (/^[a-z]:/i.test(text)) refuse("begins with a drive");
  if (text.startsWith("~")) refuse("begins with a home folder");
  const [root = "", ...names] = text.split("/");
  if (names.length > DEEPEST) refuse(`is deeper than ${DEEPEST} folders`);
  for (const name of [root, ...names]) {
    const fault = nameFault(name);
    if (fault !== undefined) refuse(fault);
  }
  return { root, names };
}

/** The same of a folder, whose path may end in one slash. */
export const clientFolder = (text: string): ClientPath =>
  clientPath(text.endsWith("/") && text !== "/" ? text.slice(0, -1) : text);

/** A path as clients read it. */
export const pathText = (root: string, names: readonly string[]): string => [root, ...names].join("/");
