import type { ServiceSeen } from "./node-view.ts";

/** What a name is asked for. */
export type Task = "text" | "embeddings" | "image";

/** What the services behind a name do, by what is known of them; text where nothing else is said. */
export function taskOf(services: readonly Pick<ServiceSeen, "kind" | "capabilities">[]): Task {
  const [first] = services;
  if (first === undefined) return "text";
  const capabilities = first.capabilities ?? [];
  if (first.kind === "comfyui" || only(capabilities, "image")) return "image";
  return only(capabilities, "embeddings") ? "embeddings" : "text";
}

/** Whether it does this and writes no text. */
const only = (capabilities: readonly string[], what: string): boolean =>
  capabilities.includes(what) && !capabilities.some((one) => TEXT.has(one));

const TEXT: ReadonlySet<string> = new Set(["chat", "completion", "tools", "reasoning", "vision", "json"]);
