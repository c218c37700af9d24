import { z } from "zod";
import type { HostView } from "../check.ts";

const INFO = z.object({
  ServerVersion: z.string().optional(),
  Driver: z.string().optional(),
  DockerRootDir: z.string().optional(),
  LiveRestoreEnabled: z.boolean().optional(),
  CgroupVersion: z.string().optional(),
  DefaultRuntime: z.string().optional(),
  Runtimes: z.record(z.string(), z.unknown()).nullish(),
  CDISpecDirs: z.array(z.string()).nullish(),
  ServerErrors: z.array(z.string()).nullish(),
});

/** What `docker info` says, or why it says nothing. */
export type DockerInfo =
  | ({ readonly answered: true } & z.infer<typeof INFO>)
  | { readonly answered: false; readonly absent: boolean; readonly message: string };

const KNOWN = new WeakMap<HostView, Promise<DockerInfo>>();

/** Asks Docker about itself, once for each look at a host. */
export function dockerInfo(view: HostView): Promise<DockerInfo> {
  const known = KNOWN.get(view) ?? askDocker(view);
  KNOWN.set(view, known);
  return known;
}

async function askDocker(view: HostView): Promise<DockerInfo> {
  const said = await view.said(["docker", "info", "--format", "{{json .}}"], 15_000);
  if (!said.ended) return { answered: false, absent: said.why === "absent", message: said.message };
  const info = parsed(said.stdout);
  const message = info?.ServerErrors?.[0] ?? said.stderr.trim().split("\n")[0] ?? "";
  if (info?.ServerVersion === undefined || info.ServerVersion === "")
    return { answered: false, absent: false, message: message === "" ? "docker info failed" : message };
  return { answered: true, ...info };
}

function parsed(text: string): z.infer<typeof INFO> | undefined {
  try {
    return INFO.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
