import type { Answer, AnswerWriter } from "./answer.ts";
import { chatToMessages } from "./chat/chat-to-messages.ts";
import { ChatStreamReader } from "./chat/chat-stream-reader.ts";
import { ChatStreamWriter } from "./chat/chat-stream-writer.ts";
import { readChatAnswer } from "./chat/read-chat-answer.ts";
import { writeChatAnswer } from "./chat/write-chat-answer.ts";
import type { Dialect, JsonObject } from "./dialect.ts";
import { messagesToChat } from "./messages/messages-to-chat.ts";
import { MessagesStreamReader } from "./messages/messages-stream-reader.ts";
import { MessagesStreamWriter } from "./messages/messages-stream-writer.ts";
import { readMessagesAnswer } from "./messages/read-messages-answer.ts";
import { writeMessagesAnswer } from "./messages/write-messages-answer.ts";
import { responsesToChat } from "./responses/responses-to-chat.ts";
import { ResponsesStreamWriter } from "./responses/responses-stream-writer.ts";
import { writeResponsesAnswer } from "./responses/write-responses-answer.ts";
import type { AnswerIdentity, StreamTranslator, Translation } from "./translation.ts";
import { DialectError } from "./translation.ts";

/** How an engine of a dialect is understood. */
interface EngineSide {
  answer(body: JsonObject): Answer;
  stream(writer: AnswerWriter): StreamTranslator;
}

/** How a client of a dialect is answered. */
interface ClientSide {
  answer(answer: Answer, request: JsonObject, identity?: AnswerIdentity): JsonObject;
  stream(request: JsonObject, identity?: AnswerIdentity): AnswerWriter;
}

const CHAT_ENGINE: EngineSide = {
  answer: readChatAnswer,
  stream: (writer) => new ChatStreamReader(writer),
};

const MESSAGES_ENGINE: EngineSide = {
  answer: readMessagesAnswer,
  stream: (writer) => new MessagesStreamReader(writer),
};

const CHAT_CLIENT: ClientSide = {
  answer: (answer, _request, identity) => writeChatAnswer(answer, identity),
  stream: (request, identity) => new ChatStreamWriter(request, identity),
};

const MESSAGES_CLIENT: ClientSide = {
  answer: (answer, _request, identity) => writeMessagesAnswer(answer, identity),
  stream: (_request, identity) => new MessagesStreamWriter(identity),
};

const RESPONSES_CLIENT: ClientSide = {
  answer: writeResponsesAnswer,
  stream: (request, identity) => new ResponsesStreamWriter(request, identity),
};

interface Way {
  readonly from: Dialect;
  readonly to: Dialect;
  readonly request: (body: JsonObject) => JsonObject;
  readonly client: ClientSide;
  readonly engine: EngineSide;
}

const translation = ({ from, to, request, client, engine }: Way): Translation => ({
  from,
  to,
  request,
  answer: (body, asked, identity) => client.answer(engine.answer(body), asked, identity),
  stream: (asked, identity) => engine.stream(client.stream(asked, identity)),
});

/** What is wrong in the chat between the two is wrong in the client's input. */
function responsesToMessages(body: JsonObject): JsonObject {
  const chat = responsesToChat(body);
  try {
    return chatToMessages(chat);
  } catch (error) {
    if (!(error instanceof DialectError) || !error.param.startsWith("messages")) throw error;
    throw new DialectError("input", `input, as ${error.message}`);
  }
}

const WAYS: readonly Way[] = [
  { from: "messages", to: "chat", request: messagesToChat, client: MESSAGES_CLIENT, engine: CHAT_ENGINE },
  { from: "responses", to: "chat", request: responsesToChat, client: RESPONSES_CLIENT, engine: CHAT_ENGINE },
  { from: "chat", to: "messages", request: chatToMessages, client: CHAT_CLIENT, engine: MESSAGES_ENGINE },
  {
    from: "responses",
    to: "messages",
    request: responsesToMessages,
    client: RESPONSES_CLIENT,
    engine: MESSAGES_ENGINE,
  },
];

const TRANSLATIONS: readonly Translation[] = WAYS.map(translation);

/** How a client of dialect `from` is served by an engine that speaks `to`; `undefined` where there is no way. */
export const findTranslation = (from: Dialect, to: Dialect): Translation | undefined =>
  TRANSLATIONS.find((way) => way.from === from && way.to === to);
