import { Template } from "@huggingface/jinja";
import { messageOf } from "../core/index.ts";
import { ApiError } from "./api-error.ts";

/** Used for models that bring no template, or one that cannot be read. */
const CHATML = `{%- for message in messages -%}
{{- '<|im_start|>' + message['role'] + '\\n' + (message['content'] or '') + '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}`;

/** How the model itself was taught to write tool calls. */
export type ToolSyntax = "hermes" | "llama3" | "mistral" | "generic";

export interface TemplateTokens {
  readonly bos: string;
  readonly eos: string;
}

export interface TemplateInput {
  readonly messages: readonly unknown[];
  readonly tools: readonly unknown[] | undefined;
  readonly addGenerationPrompt: boolean;
  /** Further variables, such as `enable_thinking`. */
  readonly variables: Readonly<Record<string, unknown>>;
}

const PROBE_TOOL = {
  type: "function",
  function: {
    name: "omni_probe_tool",
    description: "probe",
    parameters: { type: "object", properties: { value: { type: "string" } } },
  },
};

/** The model's own chat template, rendered with Jinja. */
export class ChatTemplate {
  readonly origin: "model" | "fallback-chatml";
  /** Why the model's own template is not used, where it has one. */
  readonly fallbackReason: string | undefined;
  readonly toolSyntax: ToolSyntax;
  readonly #template: Template;
  readonly #tokens: TemplateTokens;

  private constructor(
    source: string | undefined,
    template: Template,
    reason: string | undefined,
    tokens: TemplateTokens,
  ) {
    this.origin = source === undefined ? "fallback-chatml" : "model";
    this.fallbackReason = reason;
    this.#template = template;
    this.#tokens = tokens;
    this.toolSyntax = this.#knowsTools() ? syntaxOf(source ?? "") : "generic";
  }

  /** Reads the template's source; one that does not parse is replaced by ChatML, and `fallbackReason` says why. */
  static from(source: string | undefined, tokens: TemplateTokens): ChatTemplate {
    let reason = "The model file brings no chat template.";
    if (source !== undefined && source !== "") {
      try {
        return new ChatTemplate(source, new Template(source), undefined, tokens);
      } catch (error) {
        reason = `The model's chat template does not parse: ${messageOf(error)}`;
      }
    }
    return new ChatTemplate(undefined, new Template(CHATML), reason, tokens);
  }

  /** Renders a conversation. Throws `ApiError` 400 when the template refuses it. */
  render(input: TemplateInput): string {
    try {
      return this.#render(input);
    } catch (error) {
      throw new ApiError(400, `The model's chat template refuses these messages: ${messageOf(error)}`, {
        param: "messages",
        code: "chat_template_error",
      });
    }
  }

  #render(input: TemplateInput): string {
    return this.#template.render({
      ...input.variables,
      messages: input.messages,
      ...(input.tools === undefined ? {} : { tools: input.tools }),
      add_generation_prompt: input.addGenerationPrompt,
      bos_token: this.#tokens.bos,
      eos_token: this.#tokens.eos,
    });
  }

  #knowsTools(): boolean {
    try {
      const messages = [{ role: "user", content: "hello" }];
      const rendered = this.#render({
        messages,
        tools: [PROBE_TOOL],
        addGenerationPrompt: true,
        variables: {},
      });
      return rendered.includes(PROBE_TOOL.function.name);
    } catch {
      // A template that fails on tools does not know them.
      return false;
    }
  }
}

function syntaxOf(source: string): ToolSyntax {
  if (source.includes("[TOOL_CALLS]")) return "mistral";
  if (source.includes("<tool_call>")) return "hermes";
  if (source.includes("<|python_tag|>") || source.includes('"parameters": dictionary of argument'))
    return "llama3";
  return "hermes";
}
