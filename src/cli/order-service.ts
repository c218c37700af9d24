import { z } from "zod";
import type { ActionAnswer } from "../supervisor/service-control.ts";
import { authorization, readJson, request } from "./node-client.ts";

const ANSWER = z.object({ service: z.string(), action: z.string(), ok: z.boolean(), message: z.string() });

/** Orders an action of a service by hand; `ok` is false where its state forbids that. Throws `OmniError` `cli.no-node`. */
export async function orderService(
  base: string,
  service: string,
  action: string,
): Promise<ActionAnswer & { readonly service: string; readonly action: string }> {
  const path = `/api/services/${encodeURIComponent(service)}/${action}`;
  return readJson(
    await request(`${base}${path}`, { method: "POST", headers: authorization() }, [409]),
    ANSWER,
  );
}
