import { afterAll } from "vitest";
import { startDockerEngine } from "../fakes/docker-engine.ts";
import { SOCKET_VARIABLE, subject } from "./docker-subject.ts";
import { runtimeContract } from "./runtime.ts";

const engine = await startDockerEngine();
if (typeof engine !== "string") process.env[SOCKET_VARIABLE] = engine.socket;

afterAll(async () => {
  if (typeof engine !== "string") await engine.stop();
});

const tried = typeof engine === "string" ? { ...subject, absent: engine } : subject;
runtimeContract(tried, new URL("docker-subject.ts", import.meta.url).href);
