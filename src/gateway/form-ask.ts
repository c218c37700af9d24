import type { IncomingHttpHeaders } from "node:http";

import type { JsonObject } from "../dialects/index.ts";
import type { Ask } from "./ask.ts";
import type { MultipartModel } from "./passthrough/multipart-model.ts";
import { multipartFor } from "./passthrough/multipart-model.ts";

/** A request whose body is a form with a file: it goes on as it came, but for the name of its model. */
export class FormAsk implements Ask {
  readonly id: string;
  readonly operation = "other";
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly model: string | undefined;
  readonly stream: boolean;
  readonly spans = new Map<string, never>();
  readonly contentType: string;
  readonly #form: MultipartModel;

  constructor(frame: Pick<Ask, "id" | "path" | "headers" | "contentType">, form: MultipartModel) {
    this.id = frame.id;
    this.path = frame.path;
    this.headers = frame.headers;
    this.contentType = frame.contentType;
    this.bytes = form.bytes;
    this.model = form.model;
    this.stream = form.stream;
    this.#form = form;
  }

  /** A form has no members to look into. */
  json(): JsonObject {
    return {};
  }

  member(): undefined {
    return undefined;
  }

  bodyFor(alias: string): Buffer {
    return multipartFor(this.#form, alias);
  }
}
