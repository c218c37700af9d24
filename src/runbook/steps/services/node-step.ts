import { request as askPlain } from "node:http";
import { request as askSealed } from "node:https";
import { z } from "zod";
import { messageOf, OmniError } from "../../../core/index.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Observation, Step } from "../../step.ts";

const PATIENCE = 10_000;
const MOST_BYTES = 2 ** 20;
const MODELS = z.object({ data: z.array(z.object({ id: z.string() })) });

/** `gateway` where Omni runs its engines itself: a node of this spec answers; nothing but its owner starts it. */
export function nodeSteps(input: RunbookInput): readonly Step[] {
  const { deployment, plan } = input;
  if (deployment.runtime !== "process" || deployment.process.systemd) return [];
  const { tls, port } = deployment.gateway;
  const url = `${tls ? "https" : "http"}://${hostOf(deployment.gateway.host)}:${port}`;
  const services = deployment.services.filter(({ refused }) => refused === undefined);
  const look = (): Promise<Observation> =>
    observeNode(
      url,
      plan.routes.map(({ name }) => name),
    );
  return [
    {
      id: "gateway",
      phase: "services",
      title: `a node of this spec answers at ${url}`,
      asked: "gateway",
      needs: services.flatMap(({ planned, draftModel }) => [
        `engine/${planned.engine.name}`,
        `model/${planned.model.name}`,
        ...(draftModel === undefined ? [] : [`model/${draftModel}`]),
      ]),
      inputs: { url, routes: plan.routes.map(({ name }) => name) },
      timeout: 6 * PATIENCE,
      verify: look,
      apply: async () => {
        const seen = await look();
        if (!seen.done)
          throw new OmniError("service.not-running", `${seen.missing}.`, {
            hint: "Type: ./omni up   (in another terminal), then ./omni apply again.",
          });
      },
      preview: [`GET ${url}/readyz`, `GET ${url}/v1/models`],
    },
  ];
}

const hostOf = (host: string): string => {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
};

async function observeNode(url: string, routes: readonly string[]): Promise<Observation> {
  try {
    const ready = await get(`${url}/readyz`);
    if (ready.status !== 200) return { done: false, missing: `${url}/readyz answers ${ready.status}` };
    const models = await get(`${url}/v1/models`);
    // A list that asks for a key is not shown to whoever has none.
    if (models.status === 401 || models.status === 403)
      return {
        done: true,
        evidence: [`${url}/readyz answers 200`, "its models are shown to its keys alone"],
      };
    const listed = MODELS.safeParse(JSON.parse(models.text));
    const names = listed.data?.data.map(({ id }) => id) ?? [];
    const absent = routes.filter((route) => !names.includes(route));
    return absent.length === 0
      ? { done: true, evidence: [`${url}/readyz answers 200`, `it serves ${names.join(", ")}`] }
      : { done: false, missing: `what answers at ${url} does not serve ${absent.join(", ")}` };
  } catch (thrown) {
    return { done: false, missing: `nothing of Omni's answers at ${url}: ${messageOf(thrown)}` };
  }
}

/** A small GET. The certificate is for other names than the loopback's, and no secret goes out. */
function get(url: string): Promise<{ readonly status: number; readonly text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const options = { timeout: PATIENCE, agent: false, rejectUnauthorized: false };
  const request = (url.startsWith("https:") ? askSealed : askPlain)(url, options, (response) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MOST_BYTES) request.destroy(new Error("the answer has no end"));
      else chunks.push(chunk);
    });
    response.on("end", () =>
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
    );
    response.on("error", reject);
  });
  request.on("timeout", () => request.destroy(new Error(`no answer within ${PATIENCE / 1000} s`)));
  request.on("error", reject);
  request.end();
  return promise;
}
