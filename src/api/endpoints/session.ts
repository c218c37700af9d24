import type { Endpoint } from "../../gateway/surface.ts";
import type { Answer } from "../contract/index.ts";
import { sendAnswer } from "./send-answer.ts";

/** What a session tells of the node, whoever asks. */
export type NodePart = Omit<Answer<"GET /api/session">, "key" | "admin">;

/** `GET /api/session`: who asks, and what of the node is for them. `node` tells how it stands now. */
export const sessionEndpoint = (node: () => NodePart): Readonly<Record<string, Endpoint>> => ({
  "/api/session": {
    GET: (call) => {
      const { key = "unknown", admin = false } = call.caller ?? {};
      sendAnswer(call, "GET /api/session", { ...node(), key, admin });
    },
  },
});
