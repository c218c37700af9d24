import type { InputRequests } from "@modelcontextprotocol/server";
import { visible } from "./visible-text.ts";

/** The name of the question among a result's input requests. */
export const QUESTION = "omni-approval";

/** Characters of one argument's name and value, and arguments, that a question shows. */
const MOST_NAME = 64;
const MOST_VALUE = 400;
const MOST_ARGUMENTS = 24;

export interface Asked {
  readonly server: string;
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/**
 * The question to the person at the client. Each argument stands on a line of its own, in JSON and with everything written
 * out that could move or hide text, so that none can pose as part of the question.
 */
export const approvalQuestion = (asked: Asked): InputRequests => ({
  [QUESTION]: {
    method: "elicitation/create",
    params: {
      mode: "form",
      message: questionText(asked),
      requestedSchema: {
        type: "object",
        properties: {
          approve: {
            type: "boolean",
            title: "Allow this call",
            description: "Only this call, with exactly these arguments.",
            default: false,
          },
        },
        required: ["approve"],
      },
    },
  },
});

/** What is asked, as text. */
export function questionText({ server, tool, args }: Asked): string {
  const names = Object.keys(args);
  const lines = names
    .slice(0, MOST_ARGUMENTS)
    .map((name) => `  ${quoted(name, MOST_NAME)}: ${valueText(args[name])}`);
  if (names.length > MOST_ARGUMENTS)
    lines.push(`  (and ${names.length - MOST_ARGUMENTS} more arguments, not shown)`);
  return [
    "Omni: a tool call needs approval.",
    `Server: ${visible(server, MOST_NAME)}`,
    `Tool: ${quoted(tool, MOST_NAME)}`,
    names.length === 0 ? "Arguments: none" : "Arguments:",
    ...lines,
    "Allow this call?",
  ].join("\n");
}

/** JSON of one value, cut. Its line ends are escaped by JSON already. */
function valueText(value: unknown): string {
  if (typeof value === "string") return quoted(value, MOST_VALUE);
  return visible(JSON.stringify(value) ?? "null", MOST_VALUE);
}

const quoted = (text: string, most: number): string =>
  `"${visible(text.slice(0, most + 1).replaceAll(/[\\"]/g, String.raw`\$&`), most)}"${
    text.length > most ? ` (${text.length} characters)` : ""
  }`;

/** What the person answered: `undefined` where there is no answer. */
export function approvalAnswer(
  responses: Readonly<Record<string, unknown>> | undefined,
): "approved" | "denied" | undefined {
  if (responses === undefined || !Object.hasOwn(responses, QUESTION)) return undefined;
  const answer = responses[QUESTION];
  if (!isRecord(answer)) return "denied";
  const content = answer["content"];
  return answer["action"] === "accept" && isRecord(content) && content["approve"] === true
    ? "approved"
    : "denied";
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
