import type { Call } from "../http.ts";
import { sendJson } from "../http.ts";

/** What differs between engines that speak OpenAI's dialect. */
export interface OpenAiDialect {
  /** Body of an error. */
  error(status: number, message: string, type: string): unknown;
  /** Fields beside OpenAI's, in every object. */
  readonly extra?: Readonly<Record<string, unknown>>;
  /** What the first event of a chat stream says. */
  readonly firstDelta: Readonly<Record<string, unknown>>;
  /** Status and words for JSON that is none. */
  readonly badJson: { readonly status: number; readonly type: string };
  /** Models that it does not serve are refused. */
  readonly checksModel: boolean;
  /** Its words when prompt and answer are longer than the context. */
  tooLong(promptTokens: number, contextTokens: number): { readonly message: string; readonly type: string };
  /** Its words for 500 when what computes is dead. */
  readonly deadMessage: string;
}

export const refuse = (
  call: Call,
  dialect: OpenAiDialect,
  status: number,
  message: string,
  type: string,
): void => sendJson(call, status, dialect.error(status, message, type));
