import { z } from "zod";
import { answer } from "../text.ts";
import { fileTool } from "./file-tool.ts";

export const listRoots = fileTool({
  name: "list_roots",
  title: "List roots",
  description: "Lists the folders that can be used, by name. Every path begins with one of these names.",
  schema: z.strictObject({}),
  effect: "reads",
  idempotent: true,
  run: (ground) =>
    Promise.resolve(
      answer(
        ...ground.roots.all.map(({ name, writable }) => `${name}  ${writable ? "writable" : "read-only"}`),
      ),
    ),
});
