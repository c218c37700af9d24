import { OmniError } from "../core/index.ts";
import { failureOf, parsed, refusalText } from "./client.ts";
import type { AcceptanceClient } from "./client.ts";
import { eventData } from "./event-data.ts";
import { bodyOf, pathOf } from "./question.ts";
import type { Question } from "./question.ts";
import { timedAnswer } from "./timed-answer.ts";
import type { TimedAnswer } from "./timed-answer.ts";

/**
 * Asks and reads the stream to its end. Throws OmniError `acceptance.refused` with the status where the server says no,
 * `acceptance.cut`, `acceptance.bad-answer` and `acceptance.no-server`; the signal's reason when it aborts.
 */
export async function askText(
  client: AcceptanceClient,
  question: Question,
  signal: AbortSignal,
): Promise<TimedAnswer> {
  const began = client.now();
  const sent = { method: "POST", body: bodyOf(question), signal } as const;
  const response = await client.send(pathOf(question), sent);
  const { statusCode, headers, body } = response;
  if (statusCode !== 200) {
    const text = await body.text().catch(() => "");
    throw new OmniError(
      "acceptance.refused",
      `${question.model}: ${statusCode} ${refusalText({ text, json: parsed(text) })}`,
    );
  }
  try {
    const answer = await timedAnswer(eventData(body), client.now, began);
    const [service, engineName] = [headers["x-omni-service"], headers["x-omni-engine"]];
    return {
      ...answer,
      ...(typeof service === "string" ? { service } : {}),
      ...(typeof engineName === "string" ? { engineName } : {}),
    };
  } catch (thrown) {
    throw thrown instanceof OmniError && thrown.code !== "acceptance.no-server"
      ? thrown
      : cutOr(thrown, question.model, signal);
  } finally {
    body.destroy();
  }
}

/** A connection that breaks within an answer is an answer that was cut. */
function cutOr(thrown: unknown, model: string, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  const failure = failureOf(thrown, model, signal);
  return failure instanceof OmniError
    ? new OmniError("acceptance.cut", `The connection broke within the answer: ${failure.message}`, {
        cause: thrown,
      })
    : failure;
}

const REFUSED_MEMBER = /^\S+: 4(?:00|22) /;

/**
 * The way a server takes: in chat or, for a model without a template for it, as a completion; with or without a member
 * that not all know. The answer is that of the first question that was taken. Throws like `askText`.
 */
export async function findWay(
  client: AcceptanceClient,
  question: Omit<Question, "dialect" | "whole">,
  signal: AbortSignal,
): Promise<{ readonly way: Pick<Question, "dialect" | "whole">; readonly answer: TimedAnswer }> {
  const ways = [
    { dialect: "chat", whole: true },
    { dialect: "chat", whole: false },
    { dialect: "completions", whole: true },
    { dialect: "completions", whole: false },
  ] as const;
  let first: unknown;
  for (const way of ways) {
    try {
      return { way, answer: await askText(client, { ...question, ...way }, signal) };
    } catch (thrown) {
      first ??= thrown;
      const another =
        thrown instanceof OmniError &&
        thrown.code === "acceptance.refused" &&
        REFUSED_MEMBER.test(thrown.message);
      if (!another) throw first;
    }
  }
  throw first;
}
