import type { ToolSyntax } from "./chat-template.ts";

/** How one family of models writes tool calls. */
export interface ToolNotation {
  /** Texts after which tool calls follow; empty where a call is told by its form alone. */
  readonly open: readonly string[];
  /** Text after which ordinary text may follow again. */
  readonly close: string | undefined;
  /** True where an answer that begins with `{` is a call. */
  readonly bare: boolean;
  /** Key of the arguments in a call that is forced by grammar. */
  readonly argumentsKey: "arguments" | "parameters";
  /** What is put before, between and after forced calls; `before` goes to the prompt. */
  readonly forced: {
    readonly before: string;
    readonly start: string;
    readonly between: string;
    readonly end: string;
  };
}

const HERMES: ToolNotation = {
  open: ["<tool_call>"],
  close: "</tool_call>",
  bare: false,
  argumentsKey: "arguments",
  forced: {
    before: "<tool_call>\n",
    start: "",
    between: "\n</tool_call>\n<tool_call>\n",
    end: "\n</tool_call>",
  },
};

/** Sources: the chat templates of Hermes 2 Pro and Qwen 2.5, of Llama 3.1 and of Mistral Nemo. */
export const TOOL_NOTATIONS: Readonly<Record<ToolSyntax, ToolNotation>> = {
  hermes: HERMES,
  generic: HERMES,
  llama3: {
    open: ["<|python_tag|>"],
    close: undefined,
    bare: true,
    argumentsKey: "parameters",
    forced: { before: "", start: "", between: "; ", end: "" },
  },
  mistral: {
    open: ["[TOOL_CALLS]"],
    close: undefined,
    bare: false,
    argumentsKey: "arguments",
    forced: { before: "[TOOL_CALLS]", start: "[", between: ", ", end: "]" },
  },
};

/** Special tokens that must be seen in the text, because they tell where a call begins or ends. */
export const TOOL_MARKERS: ReadonlySet<string> = new Set([
  ...Object.values(TOOL_NOTATIONS).flatMap(({ open, close }) =>
    close === undefined ? open : [...open, close],
  ),
  "[ARGS]",
]);
