import type { Diagnostic } from "../../core/index.ts";

/** `~` and relative paths mean nothing to systemd; what is done instead is said. */
export const needsWholePath = (at: string, path: string, instead: string): Diagnostic => ({
  code: "render.needs-value",
  severity: "warning",
  path: at,
  message: `${path} does not begin at the root, and a unit has neither a home nor a folder that it counts from; ${instead}.`,
  hint: "Write the whole path.",
});

/** The folder of the logs, where systemd can write to it. */
export const wholeLogFolder = (folder: string | undefined): string | undefined =>
  folder?.startsWith("/") === true ? folder : undefined;
