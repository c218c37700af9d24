import { createParser } from "eventsource-parser";
import { ApiError, apiErrorOf, messageOf } from "../../../api/api-error.ts";
import { send } from "../../../api/ask.ts";
import { broken } from "../answer/grow.ts";
import { ended, heardChat } from "../answer/heard-chat.ts";
import { heardComment } from "../answer/heard-comment.ts";
import { heardImage } from "../answer/heard-image.ts";
import { heardResponse } from "../answer/heard-response.ts";
import { servedBy } from "../answer/served-by.ts";
import type { AnswerTurn } from "../turn.ts";
import type { ChatRequest } from "./chat-request.ts";

type Hear = (answer: AnswerTurn, data: string, now: number) => AnswerTurn;

const HEAR: Readonly<Record<ChatRequest["path"], Hear>> = {
  "./v1/chat/completions": heardChat,
  "./v1/responses": heardResponse,
  "./v1/images/generations": heardImage,
};

/**
 * Asks, and gives every state of the answer to `told` until it is over or `signal` aborts. Rejects with nothing: what goes
 * wrong is part of the answer.
 */
export async function streamAnswer(
  request: ChatRequest,
  begun: AnswerTurn,
  signal: AbortSignal,
  told: (answer: AnswerTurn) => void,
): Promise<void> {
  let answer = begun;
  const take = (next: AnswerTurn): void => {
    if (next === answer) return;
    answer = next;
    told(answer);
  };
  try {
    const init = { method: "POST", signal, body: JSON.stringify(request.body) };
    const response = await send(request.path, init);
    take({ ...answer, served: servedBy(response.headers) });
    if (!response.ok || response.body === null) throw await apiErrorOf(response);
    await readEvents(response.body, {
      data: (data) => take(HEAR[request.path](answer, data, Date.now())),
      comment: (text) => take(heardComment(answer, text, Date.now())),
    });
    take(ended(answer));
  } catch (thrown) {
    if (signal.aborted) take(stopped(answer));
    else if (thrown instanceof ApiError) take(broken(answer, thrown.code, thrown.message));
    else take(broken(answer, "connection_lost", `The connection broke: ${messageOf(thrown)}`));
  }
}

async function readEvents(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  heard: { readonly data: (data: string) => void; readonly comment: (text: string) => void },
): Promise<void> {
  const parser = createParser({ onEvent: ({ data }) => heard.data(data), onComment: heard.comment });
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    parser.feed(value);
  }
}

function stopped(answer: AnswerTurn): AnswerTurn {
  const { waiting: _, ...rest } = answer;
  return { ...rest, state: "stopped" };
}
