import { z } from "zod";

/** A probe by HTTP, as a pod's spec has it. */
export const PROBE = z
  .object({
    httpGet: z.object({ path: z.string().default("/"), port: z.union([z.string(), z.number()]) }).optional(),
  })
  .optional();

/** Whether an address answers as a kubelet takes for ready. */
export async function isWell(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(1000),
      headers: { connection: "close" },
    });
    await response.arrayBuffer();
    return response.status < 400;
  } catch {
    return false;
  }
}
