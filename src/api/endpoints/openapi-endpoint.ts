import type { Endpoint } from "../../gateway/surface.ts";
import type { Answer } from "../contract/index.ts";
import { openApiDocument } from "../openapi.ts";
import { sendAnswer } from "./send-answer.ts";

/** `GET /api/openapi.json`: made when it is first asked for. */
export function openApiEndpoint(version: string): Readonly<Record<string, Endpoint>> {
  let made: Answer<"GET /api/openapi.json"> | undefined;
  return {
    "/api/openapi.json": {
      GET: (call) => sendAnswer(call, "GET /api/openapi.json", (made ??= openApiDocument(version))),
    },
  };
}
