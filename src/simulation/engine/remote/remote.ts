import { namesIn, readCommandLine } from "../command-line.ts";
import type { KnownFlags } from "../command-line.ts";
import type { Engine, EngineProgram } from "../engine.ts";
import { EngineEnd } from "../engine-end.ts";
import type { Call, Routes } from "../http.ts";
import { sendJson } from "../http.ts";
import { completions } from "../openai/completions.ts";
import type { OpenAiDialect } from "../openai/dialect.ts";
import { embeddings } from "../openai/embeddings.ts";
import { pass } from "../take-memory.ts";

const dialect: OpenAiDialect = {
  error: (_status, message, type) => ({
    error: { message, type: TYPES[type] ?? type, param: null, code: null },
  }),
  firstDelta: { role: "assistant", content: "" },
  badJson: { status: 400, type: "invalid_request_error" },
  checksModel: true,
  tooLong: (prompt, context) => ({
    message: `This model's maximum context length is ${context} tokens. However, your messages resulted in ${prompt} tokens. Please reduce the length of the messages.`,
    type: "invalid_request_error",
  }),
  deadMessage: "The server had an error while processing your request. Sorry about that!",
};

const FLAGS: KnownFlags = { valued: namesIn("--served-model-name"), switches: namesIn("") };

const TYPES: Readonly<Record<string, string>> = {
  NotFoundError: "invalid_request_error",
  InternalServerError: "server_error",
};

/** An API elsewhere that speaks OpenAI's dialect and asks for a key. It has neither cards nor a log. */
export const remoteProgram: EngineProgram = {
  readLine: (words) => readCommandLine(words, FLAGS, false),
  refuse: () => new EngineEnd([], 2),
  listensAtOnce: false,
  load: (engine) => pass(engine, engine.loadTime),
  readyLines: () => [],
  routes,
  notFound: { error: { message: "Invalid URL", type: "invalid_request_error", param: null, code: null } },
  headers: {},
  portBusy: () => new EngineEnd(["listen: address already in use"], 1),
  outOfMemoryAtRun: (engine) => engine.work.die(),
  cardLost: () => {},
  coreDead: (engine) => engine.work.die(),
  stopLines: () => [],
};

function routes(engine: Engine): Routes {
  const guarded =
    (act: (call: Call) => Promise<void> | void) =>
    (call: Call): Promise<void> | void => {
      const { key } = engine.settings;
      if (key === undefined || call.request.headers.authorization === `Bearer ${key}`) return act(call);
      sendJson(call, 401, {
        error: {
          message: "Incorrect API key provided. You can find your API key at the provider's site.",
          type: "invalid_request_error",
          param: null,
          code: "invalid_api_key",
        },
      });
    };
  return {
    "GET /v1/models": guarded((call) =>
      sendJson(call, 200, {
        object: "list",
        data: [{ id: engine.name, object: "model", created: 1, owned_by: "system" }],
      }),
    ),
    "POST /v1/chat/completions": guarded(completions(engine, dialect, true)),
    "POST /v1/completions": guarded(completions(engine, dialect, false)),
    "POST /v1/embeddings": guarded(embeddings(engine, dialect)),
  };
}
