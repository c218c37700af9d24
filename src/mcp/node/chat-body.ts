import type { ChatArguments } from "./chat-tool.ts";

/** Characters of a token at least, as budgets count before an engine has: rather too many tokens than too few. */
const CHARACTERS = 3;
/** Tokens of a message beside its text. */
const FRAME = 8;

/** The body of `/v1/chat/completions`; no tools, one answer, no stream. */
export function chatBody(args: ChatArguments): Readonly<Record<string, unknown>> {
  const { model, temperature, max_tokens: most } = args;
  return {
    ...(model === undefined ? {} : { model }),
    messages: messagesOf(args),
    max_tokens: most,
    ...(temperature === undefined ? {} : { temperature }),
    stream: false,
  };
}

/** Tokens that the prompt takes, as far as that is known before it was read. */
export const promptTokens = (args: ChatArguments): number =>
  messagesOf(args).reduce((sum, { content }) => sum + FRAME + Math.ceil(content.length / CHARACTERS), 0);

const messagesOf = ({
  system,
  prompt,
  messages,
}: ChatArguments): readonly { role: string; content: string }[] => [
  ...(system === undefined ? [] : [{ role: "system", content: system }]),
  ...(messages ?? []),
  ...(prompt === undefined ? [] : [{ role: "user", content: prompt }]),
];
