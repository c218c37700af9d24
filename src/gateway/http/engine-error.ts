/** What befell a connection to an engine; the codes are those of undici, so that both clients' failures are read in one place. */
export class EngineError extends Error {
  readonly code:
    | "UND_ERR_SOCKET"
    | "UND_ERR_CONNECT_TIMEOUT"
    | "UND_ERR_DESTROYED"
    | "UND_ERR_CLOSED"
    | "UND_ERR_INVALID_ARG"
    | "UND_ERR_HEADERS_OVERFLOW";

  constructor(code: EngineError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "EngineError";
    this.code = code;
  }
}

/** An answer that is not HTTP/1.1 as it is written in RFC 9112; named as undici names it. */
export class MalformedAnswer extends Error {
  readonly code = "HPE_MALFORMED";

  constructor(message: string) {
    super(message);
    this.name = "HTTPParserError";
  }
}
