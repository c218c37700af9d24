/** What the engine of faults always says, token by token: characters of several bytes, quotes, a line's end, a word twice. */
export const TOKENS: readonly string[] = [
  "Über ",
  "sieben ",
  "Brücken ",
  '"mußt" ',
  "du ",
  "gehn, 😀 ",
  "日本",
  "語 ",
  "\n",
  "sieben ",
  "dunkle ",
  "Jahre ",
  "über",
  "stehn.",
];
export const TEXT = TOKENS.join("");
/** Tokens of every prompt, without what the engine is given of the answer. */
export const PROMPT_TOKENS = 7;
/** Behind it in a prompt stands what was said of the answer. */
export const PROMPT_END = "§";
/** Arguments of the one tool call, as they come. */
export const ARGUMENTS: readonly string[] = ['{"ci', 'ty":', '"Kö', 'ln"}'];

/** A request as far as the engine of faults reads it. */
export interface FaultAsk {
  readonly model: string;
  readonly stream?: boolean;
  readonly n?: number;
  readonly logprobs?: unknown;
  readonly stream_options?: { readonly include_usage?: boolean };
  readonly messages?: readonly { readonly role: string; readonly content: unknown }[];
  readonly prompt?: string;
  readonly tools?: readonly { readonly function?: { readonly name?: string } }[];
  readonly continue_final_message?: boolean;
}

/** One event of an answer: what it holds and the number of its token, -1 for what comes before the first and their count for what comes behind the last. */
export interface Step {
  readonly at: number;
  readonly data: string;
}

/** How many tokens of the answer the request already has; `undefined` when these are no tokens of it. */
export const tokensGiven = (ask: FaultAsk): number | undefined => tokensIn(givenText(ask));

/** How many tokens a beginning of the answer has; `undefined` when it is none, or ends within one. */
export function tokensIn(given: string): number | undefined {
  let length = 0;
  for (const [i, token] of [...TOKENS, ""].entries()) {
    if (length === given.length) return TEXT.startsWith(given) ? i : undefined;
    length += token.length;
  }
  return undefined;
}

function givenText({ messages, prompt }: FaultAsk): string {
  if (prompt !== undefined) return prompt.split(PROMPT_END)[1] ?? "";
  const last = messages?.at(-1);
  return last?.role === "assistant" ? String(last.content) : "";
}

const usageFrom = (given: number, said = TOKENS.length - given): Record<string, number> => ({
  prompt_tokens: PROMPT_TOKENS + given,
  completion_tokens: said,
  total_tokens: PROMPT_TOKENS + given + said,
});

const LOGPROBS = { content: [{ token: "x", logprob: -0.1, bytes: null, top_logprobs: [] }] };

/** The events of a stream that goes on behind `given` tokens, `[DONE]` included. */
export function stepsOf(ask: FaultAsk, given: number, id: string): readonly Step[] {
  const chat = ask.messages !== undefined;
  const choices = Array.from({ length: ask.n ?? 1 }, (_, index) => index);
  const base = {
    id,
    object: chat ? "chat.completion.chunk" : "text_completion",
    created: Math.floor(Date.now() / 1000),
    model: ask.model,
  };
  const step = (at: number, choice: object, finish: string | null = null): Step[] =>
    choices.map((index) => ({
      at,
      data: JSON.stringify({
        ...base,
        choices: [
          { index, ...choice, finish_reason: finish, ...(ask.logprobs ? { logprobs: LOGPROBS } : {}) },
        ],
      }),
    }));
  const tool = ask.tools?.[0]?.function?.name;
  const parts = tool === undefined ? textSteps(chat, given, step) : toolSteps(tool, step);
  const counted =
    ask.stream_options?.include_usage === true
      ? [{ at: TOKENS.length, data: JSON.stringify({ ...base, choices: [], usage: usageFrom(given) }) }]
      : [];
  return [
    ...(chat ? step(-1, { delta: { role: "assistant", content: "" } }) : []),
    ...parts,
    ...step(TOKENS.length, chat ? { delta: {} } : { text: "" }, tool === undefined ? "stop" : "tool_calls"),
    ...counted,
    { at: TOKENS.length, data: "[DONE]" },
  ];
}

type MakeStep = (at: number, choice: object) => Step[];

const textSteps = (chat: boolean, given: number, step: MakeStep): Step[] =>
  TOKENS.flatMap((token, at) =>
    at < given ? [] : step(at, chat ? { delta: { content: token } } : { text: token }),
  );

const toolSteps = (name: string, step: MakeStep): Step[] =>
  ARGUMENTS.flatMap((part, at) => {
    const begun = at === 0 ? { id: "call_1", type: "function" } : {};
    const call = { index: 0, ...begun, function: { ...(at === 0 ? { name } : {}), arguments: part } };
    return step(at, { delta: { tool_calls: [call] } });
  });

/** The whole answer. */
export function wholeOf(ask: FaultAsk, id: string): Record<string, unknown> {
  const chat = ask.messages !== undefined;
  const said = chat ? { message: { role: "assistant", content: TEXT } } : { text: TEXT };
  return {
    id,
    object: chat ? "chat.completion" : "text_completion",
    created: Math.floor(Date.now() / 1000),
    model: ask.model,
    choices: [{ index: 0, ...said, finish_reason: "stop" }],
    usage: usageFrom(0),
  };
}
