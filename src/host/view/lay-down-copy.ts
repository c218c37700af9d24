import { lstatSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { posix } from "node:path";
import { SECTIONS } from "./copy-script.ts";
import type { Section } from "./copy-script.ts";

/** What a copy tells beside its files. */
export interface LaidDown {
  /** Sockets that are there. */
  readonly sockets: readonly string[];
  /** All of it arrived. */
  readonly whole: boolean;
}

/**
 * Lays a copy of a host down below a folder. Whatever the host says, nothing is written outside of it, and no link leads
 * out: links come last, none lies below another, and each is led to where it points within the host.
 */
export function layDownCopy(bytes: Buffer, mark: string, root: string): LaidDown {
  const sections = sectionsOf(bytes.toString("latin1"), mark);
  const lines = (section: Section): readonly string[] =>
    (sections.get(section) ?? "").split("\n").filter((line) => line.startsWith("/"));
  for (const path of lines("folders")) mkdirSync(below(root, path), { recursive: true });
  for (const [path, text] of [
    ...lines("names").map((path) => [path, ""] as const),
    ...filesOf(sections.get("files") ?? ""),
  ])
    writeFile(below(root, path), text);
  for (const [path, target] of linksOf(sections.get("links") ?? "")) link(root, path, target);
  return { sockets: lines("sockets"), whole: sections.has("end") };
}

function sectionsOf(text: string, mark: string): ReadonlyMap<Section, string> {
  const found = new Map<Section, string>();
  for (const part of text.split(`${mark} `).slice(1)) {
    const end = part.indexOf("\n");
    const name = SECTIONS.find((section) => section === part.slice(0, end));
    if (name !== undefined) found.set(name, part.slice(end + 1));
  }
  return found;
}

/** As `head -v` prints files: a line with the name before each, a line break before all but the first. */
function filesOf(text: string): (readonly [path: string, text: string])[] {
  const headers = [...text.matchAll(/(?:^|\n)==> (\/[^\n]*) <==\n/g)];
  return headers.map((header, index) => [
    header[1] ?? "",
    text.slice(header.index + header[0].length, headers[index + 1]?.index ?? text.length - 1),
  ]);
}

/** As `ls -ld` prints links. */
const linksOf = (text: string): (readonly [path: string, target: string])[] =>
  text.split("\n").flatMap((line) => {
    const match = /^l.*? (\/.*?) -> (.*)$/.exec(line);
    return match === null ? [] : [[match[1] ?? "", match[2] ?? ""] as const];
  });

const below = (root: string, path: string): string => root + posix.normalize(`/${path}`).slice(1);

function writeFile(path: string, text: string): void {
  try {
    mkdirSync(posix.dirname(path), { recursive: true });
    writeFileSync(path, Buffer.from(text, "latin1"), { flag: "wx" });
  } catch {
    // Told twice, or below something that is no folder: the first word counts.
  }
}

function link(root: string, path: string, target: string): void {
  const absolute = posix.normalize(`/${path}`);
  const folder = posix.dirname(absolute);
  const to = posix.normalize(target.startsWith("/") ? target : posix.resolve(folder, target));
  try {
    mkdirSync(root + folder.slice(1), { recursive: true });
    if (hasLinkAbove(root, folder)) return;
    symlinkSync(posix.relative(folder, to) || ".", root + absolute.slice(1));
  } catch {
    // A file of that name was copied already.
  }
}

/** A link that lies below another would count its steps upwards from elsewhere. */
function hasLinkAbove(root: string, folder: string): boolean {
  const parts = folder.split("/").slice(1);
  return parts.some((_, index) => lstatSync(root + parts.slice(0, index + 1).join("/")).isSymbolicLink());
}
