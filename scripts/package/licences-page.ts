import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ShippedPackage } from "./shipped-packages.ts";

const LICENCE_FILE = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i;

/** Licences of all that is shipped: a table, and below it each text once with the packages that carry it. */
export function licencesPage(root: string, packages: readonly ShippedPackage[]): string {
  const rows = packages.map(
    ({ name, version, licence, within, optional }) =>
      `| ${name} | ${version} | ${licence ?? "not stated"} | ${within}${optional ? ", optional" : ""} |`,
  );
  const byText = Map.groupBy(
    packages.flatMap((one) => textsOf(join(root, one.path)).map((text) => ({ text, of: one }))),
    ({ text }) => text,
  );
  const texts = [...byText].map(([text, of]) => {
    const names = [...new Set(of.map(({ of: { name, version } }) => `${name} ${version}`))];
    return `## ${names.join(", ")}\n\n${indented(text)}\n`;
  });
  return [
    "# Licences of what Omni's package brings",
    "",
    "Omni itself is under the MIT licence (LICENSE). *node* is installed beside it, *console* is bundled into the console's files. Where no text stands below, the package carries none, or is for another processor than the one this page was made on.",
    "",
    "| package | version | licence | within |",
    "|---|---|---|---|",
    ...rows,
    "",
    ...texts,
  ].join("\n");
}

/** Texts of a package's licence files, without what differs only by line ends. */
function textsOf(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && LICENCE_FILE.test(entry.name))
    .map(({ name }) => readFileSync(join(folder, name), "utf8").replaceAll("\r\n", "\n").trim());
}

/** A block of Markdown that means nothing else, whatever the text holds. */
const indented = (text: string): string =>
  text
    .split("\n")
    .map((line) => `    ${line}`.trimEnd())
    .join("\n");
