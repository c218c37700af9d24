import type { Dialect, JsonObject, Translation } from "../dialects/index.ts";
import { findTranslation } from "../dialects/index.ts";
import type { EngineDialect, EngineSurface } from "../engines/index.ts";
import { tritonGeneratePath } from "../engines/index.ts";
import type { Ask, Operation } from "./ask.ts";
import { TRITON_COMPLETIONS } from "./triton-completions.ts";
import { asksForUsage } from "./edited-body.ts";
import { namesTools, offeringNamed } from "./named-tools.ts";

const DIALECT_PATHS: Readonly<Record<EngineDialect, string>> = {
  chat: "/v1/chat/completions",
  completions: "/v1/completions",
  messages: "/v1/messages",
};

/** How one engine is asked for one request, and how its answer becomes the client's. */
export interface EngineRequest {
  readonly path: string;
  readonly body: Buffer;
  /** The dialect that the engine answers in; absent for what is no generated text. */
  readonly dialect?: EngineDialect;
  /** Where the client's dialect is another: how what is in `dialect` is said to it. */
  readonly translation?: Translation;
  /** Where the engine's own words are none of `dialect`'s: how they become so. */
  readonly inward?: Translation;
  /** The engine was asked to tell usage in its stream although the client was not: that event is Omni's alone. */
  readonly usageIsOurs: boolean;
  /** A whole answer of the engine as the client's, where neither is generated text. */
  readonly reshape?: (status: number, body: Buffer) => Buffer;
}

const GENERATES: ReadonlySet<Operation> = new Set<Dialect>(["chat", "completions", "messages", "responses"]);

/** True for operations whose answer is text as it is generated. */
const isDialect = (operation: Operation): operation is Dialect => GENERATES.has(operation);

/** The request to an engine of this surface that knows its model as `alias`, or why it cannot be asked. Throws DialectError. */
export function engineRequest(
  ask: Ask,
  surface: EngineSurface,
  alias: string,
): EngineRequest | { readonly unservable: string } {
  if (!isDialect(ask.operation)) {
    const path = surface.paths[ask.path];
    return path === undefined
      ? { unservable: `its engine has no ${ask.path}` }
      : { path, body: ask.bodyFor(alias, false), usageIsOurs: false };
  }
  const { operation } = ask;
  const native = surface.dialects.find((dialect) => dialect === operation);
  if (native !== undefined) {
    const protocol = ownProtocol(native, surface);
    if (protocol !== undefined) {
      const body = Buffer.from(JSON.stringify(protocol.request(ask.json())));
      const path = pathFor(native, surface, alias, ask.stream);
      return { path, body, dialect: native, inward: protocol, usageIsOurs: ask.stream && !asksForUsage(ask) };
    }
    const counted = ask.stream && native !== "messages" && surface.countsStreams && !asksForUsage(ask);
    return {
      path: DIALECT_PATHS[native],
      body:
        surface.knowsToolNames === false && native === "chat" && namesTools(ask)
          ? inDialect(offeringNamed(ask.json()), native, surface, alias)
          : ask.bodyFor(alias, counted),
      dialect: native,
      usageIsOurs: counted,
    };
  }
  for (const dialect of surface.dialects) {
    const translation = findTranslation(operation, dialect);
    if (translation !== undefined) {
      const asked = translation.request({ ...ask.json(), model: alias });
      const named = surface.knowsToolNames === false ? offeringNamed(asked) : asked;
      const body = inDialect(named, dialect, surface, alias);
      return { path: DIALECT_PATHS[dialect], body, dialect, translation, usageIsOurs: false };
    }
  }
  return { unservable: `its engine does not speak ${operation}, and it cannot be translated` };
}

/** The request by which an engine goes on with an answer of the dialect `lane`. Throws DialectError. */
export function resumingRequest(
  { body, flags }: { readonly body: JsonObject; readonly flags: JsonObject },
  lane: EngineDialect,
  surface: EngineSurface,
  alias: string,
): (EngineRequest & { readonly dialect: EngineDialect }) | { readonly unservable: string } {
  if (surface.dialects.includes(lane)) {
    const translation = ownProtocol(lane, surface);
    return {
      path: pathFor(lane, surface, alias, true),
      body: inDialect(translation?.request(body) ?? body, lane, surface, alias),
      dialect: lane,
      usageIsOurs: false,
      ...(translation === undefined ? {} : { inward: translation }),
    };
  }
  for (const dialect of surface.dialects) {
    const translation = findTranslation(lane, dialect);
    if (translation !== undefined) {
      return {
        path: DIALECT_PATHS[dialect],
        body: inDialect(
          { ...translation.request({ ...body, model: alias }), ...flags },
          dialect,
          surface,
          alias,
        ),
        dialect: lane,
        inward: translation,
        usageIsOurs: false,
      };
    }
  }
  return { unservable: `its engine cannot go on with an answer in ${lane}` };
}

/** Where an engine speaks a dialect in the words of another protocol. */
const ownProtocol = (dialect: EngineDialect, { completionsBy }: EngineSurface): Translation | undefined =>
  dialect === "completions" && completionsBy === "triton-generate" ? TRITON_COMPLETIONS : undefined;

const pathFor = (dialect: EngineDialect, surface: EngineSurface, alias: string, stream: boolean): string =>
  ownProtocol(dialect, surface) === undefined ? DIALECT_PATHS[dialect] : tritonGeneratePath(alias, stream);

/** A body of Omni's own making: the engine's name for its model, and usage told in streams. */
function inDialect(body: JsonObject, dialect: EngineDialect, surface: EngineSurface, alias: string): Buffer {
  const counted = body["stream"] === true && dialect !== "messages" && surface.countsStreams;
  return Buffer.from(
    JSON.stringify({
      ...body,
      model: alias,
      ...(counted ? { stream_options: { include_usage: true } } : {}),
    }),
  );
}
