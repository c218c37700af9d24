import { expect, it } from "vitest";
import type { Service } from "../../live/live-state.ts";
import { chatModels } from "./chat-models.ts";

const service = (name: string, more: Partial<Service>): Service => ({
  name,
  engine: "e",
  model: "m",
  state: "ready",
  restarts: 0,
  contextTokens: 0,
  parallel: 1,
  since: 0,
  ...more,
});

it("offers routes first, tells images and sight, and leaves out what cannot chat", () => {
  const services = [
    service("words", { kind: "embedded" }),
    service("eyes", { capabilities: ["chat", "vision"] }),
    service("painter", { kind: "comfyui" }),
    service("vectors", { capabilities: ["embeddings"] }),
  ];
  const named = [
    { id: "words", services: ["words"] },
    { id: "flux", services: ["painter"] },
    { id: "find", services: ["vectors"] },
    { id: "main", services: ["words", "eyes"] },
  ];
  const routes = [{ name: "main", services: ["words", "eyes"] }];
  expect(chatModels(named, { services, routes })).toEqual([
    { name: "main", group: "Routes", vision: true, services: ["words", "eyes"] },
    { name: "flux", group: "Images", vision: false, services: ["painter"] },
    { name: "words", group: "Services", vision: false, services: ["words"] },
  ]);
});
