import { stripVTControlCharacters } from "node:util";
import { formatDuration } from "../../core/index.ts";
import { codeBlock, codeSpan, markdownText } from "../../render/escape/markdown.ts";
import { shellCommand } from "../../render/escape/shell.ts";
import { boundedText } from "../journal/bounded-text.ts";
import type { Entry, TimedEntry } from "../journal/entry.ts";
import { instant } from "./instant.ts";

/** Commands of the appendix, the newest, and characters of each output. */
const MOST_COMMANDS = 400;
const MOST_OUTPUT = 4000;

type CommandEntry = Extract<Entry, { kind: "command" }>;

/** Every command with how it ended and what it said, oldest first. */
export function commandAppendix(entries: readonly TimedEntry[]): readonly string[] {
  const commands = entries.flatMap(({ time, entry }) =>
    entry.kind === "command" ? [{ time, command: entry }] : [],
  );
  if (commands.length === 0) return [];
  const left = commands.length - MOST_COMMANDS;
  return [
    "## Commands",
    "",
    ...(left > 0 ? [`The first ${left} are left out.`, ""] : []),
    ...commands.slice(-MOST_COMMANDS).flatMap(({ time, command }) => commandLines(time, command)),
  ];
}

function commandLines(time: number, command: CommandEntry): readonly string[] {
  const { step, argv, host, ended, duration, stdout, stderr } = command;
  const how = typeof ended === "number" ? `exit status ${ended}` : markdownText(ended);
  return [
    `### ${codeSpan(shellCommand(argv.map((word) => word.replaceAll("\0", ""))))}`,
    "",
    `${codeSpan(step)}, on ${markdownText(host)}, ${instant(time)}: ${how} after ${formatDuration(duration)}`,
    "",
    ...fenced(stdout),
    ...fenced(stderr),
  ];
}

function fenced(text: string): readonly string[] {
  if (text.trim() === "") return [];
  return [codeBlock(boundedText(withoutSigns(text), MOST_OUTPUT).trimEnd(), "text"), ""];
}

/** Without colours and other control characters; lines and tabs stay. */
const withoutSigns = (text: string): string =>
  stripVTControlCharacters(text).replaceAll(/[^\P{Cc}\n\t]/gu, "");
