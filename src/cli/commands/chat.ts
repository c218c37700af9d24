import { createInterface } from "node:readline/promises";
import type { Interface } from "node:readline/promises";
import { z } from "zod";
import { EXIT, formatDuration, messageOf, OmniError } from "../../core/index.ts";
import type { ExitCode } from "../../core/index.ts";
import { streamAnswer } from "../chat-stream.ts";
import type { Answer, Message } from "../chat-stream.ts";
import type { Command, Invocation } from "../command.ts";
import { getJson, nodeUrl, URL_OPTION } from "../node-client.ts";
import { reportError } from "../report.ts";
import type { Terminal } from "../terminal.ts";

const MODELS = z.object({ data: z.array(z.object({ id: z.string() })) });

interface Conversation {
  readonly base: string;
  model: string;
  readonly known: readonly string[];
  messages: Message[];
}

export const chat: Command = {
  name: "chat",
  summary: "Talk to the running node.",
  positionals: [{ name: "QUESTION", required: false, completes: "none" }],
  options: {
    model: {
      kind: "value",
      short: "m",
      placeholder: "NAME",
      about: "Route or service to ask; default: the node's first route.",
    },
    system: { kind: "value", placeholder: "TEXT", about: "System message to begin with." },
    url: URL_OPTION,
  },
  examples: [
    ["chat", "a conversation; /help inside lists what you can type"],
    ['chat "What is Omni?"', "one question, one answer"],
    ["chat --model oracle", "ask the oracle"],
  ],
  run: async (invocation, terminal) => {
    const conversation = await begin(invocation);
    const question = invocation.positionals[0];
    if (question !== undefined) {
      await ask(conversation, question, terminal);
      return EXIT.done;
    }
    return converse(conversation, terminal);
  },
};

async function begin(invocation: Invocation): Promise<Conversation> {
  const base = nodeUrl(invocation);
  const listed = await getJson(base, "/v1/models", MODELS);
  const known = listed.data.map((model) => model.id);
  const model = invocation.value("model") ?? known[0];
  if (model === undefined)
    throw new OmniError("cli.no-node", `The node at ${base} serves no model.`, {
      hint: "See ./omni status.",
    });
  const system = invocation.value("system");
  return { base, model, known, messages: system === undefined ? [] : [{ role: "system", content: system }] };
}

async function converse(conversation: Conversation, terminal: Terminal): Promise<ExitCode> {
  const { style } = terminal;
  terminal.out(
    style(
      "dim",
      `${conversation.model} at ${conversation.base}. /help lists commands; Ctrl-C stops an answer, Ctrl-D ends.`,
    ),
  );
  const lines = createInterface({
    input: process.stdin,
    output: process.stdout,
    terminal: terminal.interactive,
  });
  let answering: AbortController | undefined;
  lines.on("SIGINT", () => {
    if (answering === undefined) lines.close();
    else answering.abort();
  });
  lines.setPrompt(style("cyan", "you › "));
  lines.prompt();
  for await (const line of lines) {
    const typed = line.trim();
    if (typed === "/exit" || typed === "/quit") break;
    if (typed.startsWith("/")) instruct(conversation, typed, terminal);
    else if (typed !== "") {
      answering = new AbortController();
      await answerOrReport(conversation, typed, terminal, answering.signal);
      answering = undefined;
    }
    if (isOpen(lines)) lines.prompt();
  }
  lines.close();
  if (terminal.interactive) terminal.out("");
  return EXIT.done;
}

const isOpen = (lines: Interface): boolean => !("closed" in lines && lines.closed === true);

async function answerOrReport(
  conversation: Conversation,
  typed: string,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  try {
    await ask(conversation, typed, terminal, signal);
  } catch (thrown) {
    // A conversation outlives one failed answer: the question is taken back, the rest stays.
    conversation.messages.pop();
    terminal.out("");
    if (signal.aborted) terminal.out(terminal.style("dim", "(stopped)"));
    else if (thrown instanceof OmniError) reportError(thrown, terminal);
    else terminal.err(messageOf(thrown));
  }
}

async function ask(
  conversation: Conversation,
  question: string,
  terminal: Terminal,
  signal = new AbortController().signal,
): Promise<void> {
  conversation.messages.push({ role: "user", content: question });
  const { base, model, messages } = conversation;
  const answer = await streamAnswer({
    base,
    model,
    messages,
    signal,
    onText: (text) => process.stdout.write(text),
  });
  conversation.messages.push({ role: "assistant", content: answer.text });
  terminal.out("");
  if (terminal.interactive) terminal.out(terminal.style("dim", speedLine(answer)));
}

function speedLine(answer: Answer): string {
  const generating = (answer.total - answer.firstToken) / 1000;
  const speed =
    answer.completionTokens === undefined || generating <= 0
      ? ""
      : `, ${(answer.completionTokens / generating).toFixed(1)} tok/s`;
  const tokens = answer.completionTokens === undefined ? "" : `, ${answer.completionTokens} tokens`;
  return `${answer.servedBy}, first token after ${formatDuration(answer.firstToken)}${tokens}${speed}`;
}

function instruct(conversation: Conversation, typed: string, terminal: Terminal): void {
  const [name, ...words] = typed.split(/\s+/);
  const argument = words.join(" ");
  if (name === "/clear") {
    conversation.messages = conversation.messages.filter((message) => message.role === "system");
    terminal.out(terminal.style("dim", "The conversation starts anew."));
  } else if (name === "/system" && argument !== "") {
    conversation.messages = [{ role: "system", content: argument }];
    terminal.out(terminal.style("dim", "The conversation starts anew with this system message."));
  } else if (name === "/model" && conversation.known.includes(argument)) {
    conversation.model = argument;
    terminal.out(terminal.style("dim", `Now asking ${argument}.`));
  } else if (name === "/model") {
    terminal.out(`The node serves: ${conversation.known.join(", ")}`);
  } else {
    terminal.out(
      "/model [NAME]   ask another route or service\n/system TEXT    start anew with a system message\n/clear          start anew\n/exit           end",
    );
  }
}
