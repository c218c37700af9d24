import type { z } from "zod";
import type { HostView } from "./check.ts";

type Words = readonly [string, ...string[]];

/** What a program printed, when it ended with 0; nothing when it is absent, failed or hung. */
export async function saidText(view: HostView, argv: Words, timeout?: number): Promise<string | undefined> {
  const result = await view.said(argv, timeout);
  return result.ended && result.code === 0 ? result.stdout : undefined;
}

/** The JSON that a program printed, whatever its exit status; nothing where it is of another form. */
export async function saidJson<T>(
  view: HostView,
  argv: Words,
  schema: z.ZodType<T>,
  timeout?: number,
): Promise<T | undefined> {
  const result = await view.said(argv, timeout);
  if (!result.ended) return undefined;
  try {
    return schema.safeParse(JSON.parse(result.stdout)).data;
  } catch {
    return undefined;
  }
}

/** Whether the host has a program at all. */
export async function hasProgram(view: HostView, argv: Words): Promise<boolean> {
  const result = await view.said(argv);
  return result.ended || result.why !== "absent";
}
