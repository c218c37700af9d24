import type { TinyGgufOptions } from "../fakes/tiny-gguf.ts";

/** Puts tools and calls into a prompt the way that many open models were trained on, without a line of its own for the tags. */
const TEMPLATE = String.raw`{%- if tools %}{{ '<|im_start|>system\n' }}{% if messages[0].role == 'system' %}{{ messages[0].content + '\n\n' }}{% endif %}{{ '<tools>' }}{% for tool in tools %}{{ '\n' }}{{ tool | tojson }}{% endfor %}{{ '\n</tools><tool_call>{"name": <function-name>, "arguments": <args-json-object>}</tool_call><|im_end|>\n' }}{% elif messages[0].role == 'system' %}{{ '<|im_start|>system\n' + messages[0].content + '<|im_end|>\n' }}{% endif %}
{%- for message in messages %}
{%- if message.role == 'user' or (message.role == 'system' and not loop.first) or (message.role == 'assistant' and not message.tool_calls) %}{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}
{%- elif message.role == 'assistant' %}{{ '<|im_start|>assistant' }}{% if message.content %}{{ '\n' + message.content }}{% endif %}{% for call in message.tool_calls %}{% if call.function %}{% set call = call.function %}{% endif %}{{ '<tool_call>{"name": "' + call.name + '", "arguments": ' }}{{ call.arguments | tojson }}{{ '}</tool_call>' }}{% endfor %}{{ '<|im_end|>\n' }}
{%- elif message.role == 'tool' %}{{ '<|im_start|>user\n<tool_response>\n' + message.content + '\n</tool_response><|im_end|>\n' }}{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}`;

const [OPENS, CLOSES] = ["<tool_call>", "</tool_call>"];

/** A random model whose template knows tools; the grammars of real engines make calls of what it babbles. */
export const TOOL_CALLER: TinyGgufOptions = {
  controlTokens: [OPENS, CLOSES],
  chatTemplate: TEMPLATE,
  trainedContext: 4096,
};

/**
 * llama-server lets a model talk before a call that it is asked for, and a random one talks on: this bias (tokens of the
 * tag that opens a call, and of the end) lets it do nothing else than call.
 */
export const ONLY_CALLS: Readonly<Record<string, number>> = { "259": 50, "258": 50 };

/** The same with less of an end: several calls are likely. */
export const MANY_CALLS: Readonly<Record<string, number>> = { "259": 50, "258": 49 };
