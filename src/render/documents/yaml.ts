import { stringify } from "yaml";
import { hashComment } from "../escape/shell.ts";

/** Long texts stay on one line, aliases are never made, and what YAML 1.1 readers take for a boolean or number is quoted. */
const OPTIONS = { lineWidth: 0, aliasDuplicateObjects: false, version: "1.2", compat: "yaml-1.1" } as const;

/** Plain data as one YAML document; keys stay in the given order, `undefined` values vanish. */
export const yamlDocument = (value: unknown, comment?: string): string =>
  `${comment === undefined ? "" : `${hashComment(comment)}\n`}${stringify(value, OPTIONS)}`;

/** Several YAML documents of one file, each with a comment of its own. */
export const yamlDocuments = (
  documents: readonly { readonly value: unknown; readonly comment?: string }[],
): string => documents.map(({ value, comment }) => yamlDocument(value, comment)).join("---\n");
