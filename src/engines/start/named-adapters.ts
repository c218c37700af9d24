/** LoRA adapters as `NAME=PATH`, the name that a request asks for being that of the file or folder itself. */
export const namedAdapters = (paths: readonly string[] = []): string[] =>
  paths.map((path) => `${path.replace(/\/+$/, "").replace(/^.*\//, "")}=${path}`);
