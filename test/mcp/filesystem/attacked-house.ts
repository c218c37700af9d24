import { expect } from "vitest";
import { fileHouse, SECRET, type FileHouse } from "./file-house.ts";
import type { FilesystemOptions } from "../../../src/mcp/filesystem/filesystem-server.ts";

type Args = Readonly<Record<string, unknown>>;

/** A house of which every attack is expected to come to nothing. */
export interface AttackedHouse extends FileHouse {
  /** Whether everything outside the writable root is as it was. */
  untouched(): boolean;
}

export async function attackedHouse(options: Partial<FilesystemOptions> = {}): Promise<AttackedHouse> {
  const house = await fileHouse(options);
  const before = house.outside();
  return { ...house, untouched: () => house.outside() === before };
}

/** Refused with these words; nothing of the secret, no path of the host, and nothing outside is changed. */
export async function check(house: AttackedHouse, tool: string, args: Args, words: RegExp): Promise<void> {
  const { refused, text } = await house.call(tool, args);
  expect(text).toMatch(words);
  expect(refused).toBe(true);
  expect(text).not.toContain(SECRET);
  expect(text).not.toContain(house.base);
  expect(text).not.toContain("/proc/");
  expect(house.untouched()).toBe(true);
}

/** Every tool that takes a path, with what an attacker would ask of it. */
export const TAKERS: readonly (readonly [tool: string, args: (path: string) => Args])[] = [
  ["read_file", (path) => ({ path })],
  ["read_binary", (path) => ({ path })],
  ["stat", (path) => ({ path })],
  ["list_directory", (path) => ({ path })],
  ["directory_tree", (path) => ({ path })],
  ["search_files", (path) => ({ path, pattern: "*" })],
  ["search_content", (path) => ({ path, query: "S" })],
  ["write_file", (path) => ({ path, content: "owned", overwrite: true })],
  ["edit_file", (path) => ({ path, edits: [{ old_text: "T", new_text: "owned" }] })],
  ["move", (path) => ({ from: path, to: "docs/stolen.txt" })],
  ["move", (path) => ({ from: "docs/a.md", to: path, overwrite: true })],
  ["restore_version", (path) => ({ path, version: 1 })],
];

/** Those of them that change something. */
export const CHANGERS = TAKERS.slice(7);
