import { Document, isMap, isNode, isScalar, isSeq, visit } from "yaml";
import { OmniError } from "../../core/index.ts";
import { hashComment } from "../escape/shell.ts";

/** Long texts stay on one line, aliases are never made, and what YAML 1.1 readers take for a boolean or number is quoted. */
const OPTIONS = { aliasDuplicateObjects: false, version: "1.2", compat: "yaml-1.1" } as const;
const LAYOUT = { lineWidth: 0 } as const;

/**
 * Characters that YAML does not let stand as they are (YAML 1.2.2, 5.1) or that a reader of YAML 1.1 takes for a line
 * break; strict readers such as go-yaml, which kubectl and talosctl use, refuse the whole document.
 */
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** A comment above a key or an item, found by its path; one at a path that is not there is left out. */
export interface YamlNote {
  readonly path: readonly (string | number)[];
  readonly comment: string;
}

/**
 * Plain data as one YAML document; keys stay in the given order, `undefined` values vanish. `notes` are written above
 * what they are about.
 */
export function yamlDocument(value: unknown, comment?: string, notes: readonly YamlNote[] = []): string {
  const document = new Document(value, OPTIONS);
  // Visiting every node takes a quarter of the time, and hardly any document has such a text.
  if (hasOddText(value)) quoteOddTexts(document);
  for (const note of notes) annotate(document, note);
  const head = comment === undefined ? "" : `${hashComment(comment)}\n`;
  return `${head}${document.toString(LAYOUT)}`.replaceAll(
    UNPRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Whether a text within plain data holds what YAML cannot show as it is. */
function hasOddText(value: unknown): boolean {
  if (typeof value === "string") return !value.isWellFormed() || value.search(UNPRINTABLE) >= 0;
  if (typeof value !== "object" || value === null) return false;
  return Array.isArray(value)
    ? value.some(hasOddText)
    : Object.entries(value).some(([key, inner]) => hasOddText(key) || hasOddText(inner));
}

const quoteOddTexts = (document: Document): void => {
  visit(document, {
    Scalar: (_key, node) => {
      if (typeof node.value !== "string") return;
      if (!node.value.isWellFormed()) throw illFormed(node.value);
      if (node.value.search(UNPRINTABLE) >= 0) node.type = "QUOTE_DOUBLE";
    },
  });
};

function annotate(document: Document, { path, comment }: YamlNote): void {
  const last = path.at(-1);
  const parent = path.length > 1 ? document.getIn(path.slice(0, -1), true) : document.contents;
  const item = isMap(parent)
    ? parent.items.find(({ key }) => isScalar(key) && key.value === last)?.key
    : isSeq(parent) && typeof last === "number"
      ? parent.items[last]
      : undefined;
  if (!isNode(item)) return;
  const lines = hashComment(comment, 116 - 2 * path.length).replaceAll(/^#/gm, "");
  item.commentBefore = [item.commentBefore, lines].filter((text) => typeof text === "string").join("\n");
}

const illFormed = (text: string): OmniError =>
  new OmniError(
    "render.unrepresentable",
    `YAML cannot hold ${JSON.stringify(text)}: half of a surrogate pair is no character.`,
    { hint: "Remove the character from the spec." },
  );

/** Several YAML documents of one file, each with a comment of its own. */
export const yamlDocuments = (
  documents: readonly { readonly value: unknown; readonly comment?: string }[],
): string => documents.map(({ value, comment }) => yamlDocument(value, comment)).join("---\n");
