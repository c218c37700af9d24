/**
 * Engines in containers of a Docker engine, local or over TCP or SSH. Apart from the other runtimes because its library
 * takes 300 ms to load. Never here: how an image is built (render) and when to start (supervisor).
 */
export { createDockerRuntime } from "./docker-runtime.ts";
export type { DockerRuntimeOptions } from "./docker-runtime.ts";
