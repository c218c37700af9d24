import { expect, it } from "vitest";
import { parseInvocation } from "../../src/cli/command.ts";
import { COMMANDS } from "../../src/cli/commands/index.ts";
import { messageOf } from "../../src/core/index.ts";
import type { WrittenDocument } from "./documents.ts";
import { blocksOf, wordsOf, WRITTEN } from "./documents.ts";

/** Words of a shell's line up to where the command ends: a comment, a pipe, a redirection, another command. */
function wordsUntilEnd(line: string): readonly string[] {
  const tokens = line.match(/"[^"]*"|'[^']*'|\$\([^)]*\)|[|<>;&│)]+|[^\s|<>;&│)]+/g) ?? [];
  const end = tokens.findIndex((token) => /^[|<>;&#│)]/.test(token));
  return (end === -1 ? tokens : tokens.slice(0, end)).map((token) => token.replaceAll(/^["']|["']$/g, ""));
}

const afterOmni = (line: string): readonly string[] =>
  [...line.replaceAll("\\\n", " ").matchAll(/(?:^|[\s;&|(])\.\/omni(?=\s|$)([^\n]*)/gm)].map(
    ([, rest = ""]) => rest,
  );

/** What a document tells its reader to type, without `./omni`. */
const commandsIn = (document: WrittenDocument): readonly string[] => [
  ...blocksOf(document).flatMap(({ code }) => afterOmni(code)),
  ...wordsOf(document).flatMap(afterOmni),
];

/** Why a command of a document is none; a command's bare name is a mention of it. */
function problemWith(line: string): string | undefined {
  const [name = "", ...args] = wordsUntilEnd(line).filter((word) => word !== "…");
  if (name === "" || name === "--version" || name === "--help") return undefined;
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command === undefined) return `./omni${line}: there is no such command`;
  if (args.length === 0) return undefined;
  try {
    parseInvocation(command, args);
    return actionProblem(name, args);
  } catch (thrown) {
    return `./omni${line}: ${messageOf(thrown)}`;
  }
}

/** Commands whose first word is an action, by what their summaries, examples and options tell of them. */
const ACTING = new Set(["service", "keys", "mcp", "models", "engines", "gpu"]);
const KNOWN_ACTIONS = new Map(
  COMMANDS.filter(({ name }) => ACTING.has(name)).map((command) => [command.name, JSON.stringify(command)]),
);

function actionProblem(name: string, args: readonly string[]): string | undefined {
  const known = KNOWN_ACTIONS.get(name);
  const action = args.find((arg) => !arg.startsWith("-"));
  if (known === undefined || action === undefined || /[./]/.test(action)) return undefined;
  return new RegExp(`\\b${action}\\b`).test(known) ? undefined : `./omni ${name} has no action ${action}`;
}

it.each(WRITTEN)("every command in $path is one", (document) => {
  expect(commandsIn(document).flatMap((line) => problemWith(line) ?? [])).toEqual([]);
});

it("commands were looked at, and a wrong one is found", () => {
  expect(WRITTEN.flatMap(commandsIn).length).toBeGreaterThan(250);
  expect(problemWith(" plan omni.yaml --explains x")).toContain("--explain");
  expect(problemWith(" plann")).toContain("no such command");
  expect(problemWith(" service lift oracle")).toContain("no action lift");
});
