import type { CompleteRequestParams, CompleteResult } from "@modelcontextprotocol/server";
import type { GetPromptResult, ReadResourceResult } from "@modelcontextprotocol/server";
import { ProtocolError, ProtocolErrorCode, ResourceNotFoundError } from "@modelcontextprotocol/server";
import { OmniError } from "../../core/index.ts";
import type { Binding } from "../approvals/call-state.ts";
import type { Audited } from "../audit/audit-trail.ts";
import type { Asker, HubContext } from "../hub.ts";
import type { Answer, ProviderContext } from "../provider.ts";
import { argumentBytes } from "./argument-bounds.ts";
import { Cancelled, withDeadline } from "./deadline.ts";
import { codeOf, failureOf, protocolErrorOf } from "./failures.ts";
import { capPrompt, capResource } from "./output-cap.ts";
import type { Capped } from "./output-cap.ts";
import { outsidePrompt, outsideResource } from "./rewriting.ts";
import { askedOf, isInput, openState, providerContext } from "./rounds.ts";
import type { PromptEntry, ServerLink } from "./server-link.ts";
import { outcomeOf } from "./tool-calls.ts";
import type { RequestParts } from "./tool-calls.ts";

/** Bytes of the values that a completion passes on, and values: the protocol's own bound. */
const MOST_COMPLETED = 64 * 1024;
const MOST_VALUES = 100;

interface Reading<T> {
  readonly link: ServerLink;
  readonly method: "resources/read" | "prompts/get";
  /** Own name or address. */
  readonly name: string;
  readonly args: Readonly<Record<string, string>>;
  readonly asker: Asker;
  readonly context: HubContext;
  readonly ask: (context: ProviderContext) => Promise<Answer<T>>;
  readonly finish: (answer: T) => Capped<T>;
}

/** Resources, prompts and completions of servers that were found for their asker. All reject with `ProtocolError`. */
export class Readings {
  readonly #parts: RequestParts;

  constructor(parts: RequestParts) {
    this.#parts = parts;
  }

  /** `own` is the server's address, `uri` the client's. */
  async resource(
    link: ServerLink,
    own: string,
    uri: string,
    asker: Asker,
    context: HubContext,
  ): Promise<Answer<ReadResourceResult>> {
    try {
      return await this.#read<ReadResourceResult>({
        link,
        method: "resources/read",
        name: own,
        args: {},
        asker,
        context,
        ask: (provided) => link.provider.readResource(own, provided),
        finish: (answer) => capResource(outsideResource(answer, link.scheme), link.policy.maxOutput),
      });
    } catch (error) {
      // Its own address means nothing to the client.
      if (error instanceof ResourceNotFoundError) throw new ResourceNotFoundError(uri, "Resource not found");
      throw error;
    }
  }

  prompt(
    { link, prompt }: PromptEntry,
    args: Readonly<Record<string, string>>,
    asker: Asker,
    context: HubContext,
  ): Promise<Answer<GetPromptResult>> {
    return this.#read<GetPromptResult>({
      link,
      method: "prompts/get",
      name: prompt.name,
      args,
      asker,
      context,
      ask: (provided) => link.provider.getPrompt(prompt.name, args, provided),
      finish: (answer) => capPrompt(outsidePrompt(answer, link.scheme), link.policy.maxOutput),
    });
  }

  /** `params` with the server's own reference. Not in the audit: it comes with every key that is pressed. */
  async complete(
    link: ServerLink,
    params: CompleteRequestParams,
    asker: Asker,
    context: HubContext,
  ): Promise<CompleteResult> {
    try {
      argumentBytes({ params });
      const answer = await withDeadline(link.name, link.policy.timeout, context.signal, (signal) =>
        link.provider.complete(params, providerContext(context, asker, link.policy, signal, undefined)),
      );
      return boundedCompletion(answer);
    } catch (thrown) {
      throw asProtocolError(thrown, link.name);
    }
  }

  async #read<T extends object>(reading: Reading<T>): Promise<Answer<T>> {
    const { link, method, name, args, asker, context, ask, finish } = reading;
    const { states, audit, now } = this.#parts;
    const began = performance.now();
    const audited: Audited = {
      server: link.name,
      method,
      name,
      args,
      argumentBytes: 0,
      asker,
      context,
      began,
    };
    let sent = false;
    try {
      const request = { ...audited, argumentBytes: argumentBytes(args) };
      const binding: Binding = { key: asker.caller.key, method, server: link.name, name, args };
      const state = openState(states, binding, context);
      sent = true;
      const answer = await withDeadline(link.name, link.policy.timeout, context.signal, (signal) =>
        ask(providerContext(context, asker, link.policy, signal, state)),
      );
      if (isInput(answer)) {
        const asked = askedOf(states, binding, answer, link.policy, undefined, now());
        audit.add(request, { outcome: "input" });
        return asked;
      }
      const { result, bytes } = finish(answer);
      audit.add(request, { outcome: "ok", resultBytes: bytes, answer: result });
      return result;
    } catch (thrown) {
      const error = asProtocolError(thrown, link.name);
      const code = thrown instanceof Cancelled ? undefined : codeOf(failureOf(thrown, link.name));
      audit.add(
        audited,
        code === undefined ? { outcome: "cancelled" } : { outcome: outcomeOf(code, sent), code },
      );
      throw error;
    }
  }
}

function asProtocolError(thrown: unknown, server: string): ProtocolError {
  if (thrown instanceof Cancelled)
    return new ProtocolError(ProtocolErrorCode.InternalError, "The request was cancelled.");
  const failure = failureOf(thrown, server);
  return failure instanceof OmniError ? protocolErrorOf(failure) : failure;
}

function boundedCompletion(answer: CompleteResult): CompleteResult {
  const { values, total, hasMore } = answer.completion;
  const kept: string[] = [];
  let left = MOST_COMPLETED;
  for (const value of values.slice(0, MOST_VALUES)) {
    left -= Buffer.byteLength(value);
    if (left < 0) break;
    kept.push(value);
  }
  if (kept.length === values.length) return answer;
  return {
    completion: { values: kept, hasMore: hasMore ?? true, ...(total === undefined ? {} : { total }) },
  };
}
