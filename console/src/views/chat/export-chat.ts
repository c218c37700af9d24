import type { Lane } from "./thread.ts";
import type { AnswerTurn, Call, Turn } from "./turn.ts";

/** The conversations as Markdown, for reading. */
export const chatAsMarkdown = (lanes: readonly Lane[], system: string): string =>
  [
    ...(system.trim() === "" ? [] : [`> ${system.trim().replaceAll("\n", "\n> ")}`]),
    ...lanes.flatMap(({ model, turns }) => [
      ...(lanes.length > 1 ? [`# ${model}`] : []),
      ...turns.map(turnAsMarkdown),
    ]),
  ].join("\n\n") + "\n";

function turnAsMarkdown(turn: Turn): string {
  if (turn.role === "user") {
    const images = turn.images.map((_, index) => `(image ${index + 1})`);
    return ["## You", ...images, turn.text].join("\n\n");
  }
  return [`## ${whoOf(turn)}`, ...turn.parts.map(partAsMarkdown), ...endOf(turn)].join("\n\n");
}

const whoOf = ({ model, served: { service } }: AnswerTurn): string =>
  service === undefined || service === model ? model : `${model} (${service})`;

function partAsMarkdown(part: AnswerTurn["parts"][number]): string {
  switch (part.kind) {
    case "text":
      return part.text;
    case "reasoning":
      return `<details><summary>Thought</summary>\n\n${part.text}\n\n</details>`;
    case "call":
      return callAsMarkdown(part.call);
    case "image":
      return "(image)";
  }
}

const callAsMarkdown = ({ server, name, arguments: text, result }: Call): string =>
  [
    `Called \`${server === undefined ? name : `${server}__${name}`}\``,
    ...(text === "" ? [] : [fenced(text)]),
    ...(result === undefined ? [] : [fenced(result)]),
  ].join("\n\n");

/** In a fence that is longer than every one within. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`{3,}/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}\n${text}\n${fence}`;
}

const endOf = ({ state, error, continued }: AnswerTurn): readonly string[] => [
  ...continued.map(({ service }) => `*Continued by ${service}.*`),
  ...(state === "ended" ? [] : [`*${state}${error === undefined ? "" : `: ${error.message}`}*`]),
];

/** The conversations as JSON, for programs: everything that is known of them. */
export const chatAsJson = (lanes: readonly Lane[], settings: unknown): string =>
  `${JSON.stringify({ settings, lanes: lanes.map(({ model, turns }) => ({ model, turns })) }, undefined, 2)}\n`;
