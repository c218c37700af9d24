import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { fieldsOf, flagIn, listIn, textIn } from "../../read-fields.ts";
import { uploadImage } from "./upload-image.ts";
import { refusalOf } from "./validate-workflow.ts";
import type { Engine } from "../engine.ts";
import type { Call, Routes } from "../http.ts";
import { fieldsOfBody, sendJson } from "../http.ts";
import type { WebSocketEnd } from "./web-socket.ts";
import { acceptWebSocket } from "./web-socket.ts";
import { Workflows } from "./workflows.ts";

interface Comfy {
  readonly workflows: Workflows;
  /** With the id under which each listens. */
  readonly clients: Map<WebSocketEnd, string>;
  /** Uploaded images by the name that LoadImage takes. */
  readonly uploads: Map<string, Buffer>;
}

const comfies = new WeakMap<Engine, Comfy>();

/** Queue and listeners of an engine, made at the first use. */
function comfyOf(engine: Engine): Comfy {
  const known = comfies.get(engine);
  if (known !== undefined) return known;
  const clients = new Map<WebSocketEnd, string>();
  const workflows = new Workflows(engine, (message, to) => {
    for (const [client, id] of clients) {
      if (client.closed) clients.delete(client);
      else if (to !== undefined && to !== id) continue;
      else if (Buffer.isBuffer(message)) client.sendBytes(message);
      else client.send(JSON.stringify({ type: message[0], data: message[1] }));
    }
  });
  const comfy = { workflows, clients, uploads: new Map<string, Buffer>() };
  comfies.set(engine, comfy);
  return comfy;
}

/** `/ws?clientId=…`: progress as it happens. */
export function upgradeComfyUi(engine: Engine, request: IncomingMessage, socket: Duplex): void {
  const client = acceptWebSocket(request, socket);
  if (client === undefined) return;
  const { workflows, clients } = comfyOf(engine);
  const sid = new URL(request.url ?? "/", "http://engine").searchParams.get("clientId") ?? "";
  clients.set(client, sid);
  const remaining = workflows.waiting.length + (workflows.running === undefined ? 0 : 1);
  client.send(
    JSON.stringify({ type: "status", data: { status: { exec_info: { queue_remaining: remaining } }, sid } }),
  );
}

/** ComfyUI's endpoints, each also below `/api`. */
export function comfyUiRoutes(engine: Engine): Routes {
  const { workflows, uploads } = comfyOf(engine);
  const routes: Routes = {
    "GET /system_stats": (call) => sendJson(call, 200, systemStats(engine)),
    "POST /prompt": (call) => addPrompt(workflows, uploads, call),
    "GET /prompt": (call) =>
      sendJson(call, 200, {
        exec_info: { queue_remaining: workflows.waiting.length + (workflows.running === undefined ? 0 : 1) },
      }),
    "GET /queue": (call) =>
      sendJson(call, 200, {
        queue_running:
          workflows.running === undefined
            ? []
            : [[workflows.running.number, workflows.running.id, workflows.running.nodes, {}, []]],
        queue_pending: workflows.waiting.map(({ number, id, nodes }) => [number, id, nodes, {}, []]),
      }),
    "POST /queue": (call) => changeQueue(workflows, call),
    "POST /interrupt": async (call) => {
      const fields = await fieldsOfBody(call);
      workflows.interrupt(typeof fields === "string" ? undefined : textIn(fields, "prompt_id"));
      call.response.writeHead(200, { "content-length": 0 }).end();
    },
    "POST /free": async (call) => {
      const fields = await fieldsOfBody(call);
      if (typeof fields !== "string" && (flagIn(fields, "unload_models") || flagIn(fields, "free_memory")))
        workflows.unload();
      call.response.writeHead(200, { "content-length": 0 }).end();
    },
    "GET /history": (call) => sendJson(call, 200, Object.fromEntries(workflows.history)),
    "GET /history/*": (call) => {
      const id = call.path.split("/").at(-1) ?? "";
      const found = workflows.history.get(id);
      sendJson(call, 200, found === undefined ? {} : { [id]: found });
    },
    "POST /history": (call) => forget(workflows, call),
    "GET /view": (call) => {
      const image = workflows.images.get(call.query.get("filename") ?? "");
      if (image === undefined) {
        call.response.writeHead(404, { "content-length": 0 }).end();
        return;
      }
      const headers = { "content-type": "image/png", "content-length": image.length };
      call.response.writeHead(200, headers).end(image);
    },
    "POST /upload/image": (call) => uploadImage(uploads, call),
    "GET /object_info": (call) => sendJson(call, 200, {}),
  };
  const below = Object.entries(routes).map(([key, route]) => [key.replace(" /", " /api/"), route] as const);
  return { ...routes, ...Object.fromEntries(below) };
}

async function addPrompt(
  workflows: Workflows,
  uploads: ReadonlyMap<string, Buffer>,
  call: Call,
): Promise<void> {
  const fields = await fieldsOfBody(call);
  const nodes = typeof fields === "string" ? undefined : fieldsOf(fields["prompt"]);
  if (typeof fields === "string" || nodes === undefined || Object.keys(nodes).length === 0) {
    const message = "No prompt provided";
    return sendJson(call, 400, {
      error: { type: "no_prompt", message, details: message, extra_info: {} },
      node_errors: {},
    });
  }
  const refusal = refusalOf(nodes, new Set(uploads.keys()));
  if (refusal !== undefined) return sendJson(call, 400, refusal);
  const { id, number } = workflows.add(nodes, textIn(fields, "client_id"), textIn(fields, "prompt_id"));
  sendJson(call, 200, { prompt_id: id, number, node_errors: {} });
}

async function changeQueue(workflows: Workflows, call: Call): Promise<void> {
  const fields = await fieldsOfBody(call);
  if (typeof fields !== "string") {
    const gone = new Set(listIn(fields, "delete"));
    const kept = flagIn(fields, "clear") ? [] : workflows.waiting.filter(({ id }) => !gone.has(id));
    workflows.waiting.splice(0, workflows.waiting.length, ...kept);
  }
  call.response.writeHead(200, { "content-length": 0 }).end();
}

async function forget(workflows: Workflows, call: Call): Promise<void> {
  const fields = await fieldsOfBody(call);
  if (typeof fields !== "string") {
    if (flagIn(fields, "clear")) workflows.history.clear();
    for (const id of listIn(fields, "delete")) workflows.history.delete(String(id));
  }
  call.response.writeHead(200, { "content-length": 0 }).end();
}

function systemStats(engine: Engine): unknown {
  const devices = engine.cards.map((uuid, index) => {
    const card = engine.board?.cards.find((card) => card.uuid === uuid);
    const total = (card?.memoryTotal ?? 0) - (card?.reserved ?? 0);
    const free = engine.board?.free(uuid) ?? 0;
    return {
      name: `cuda:${index} ${card?.name ?? ""} : cudaMallocAsync`,
      type: "cuda",
      index,
      vram_total: total,
      vram_free: free,
      torch_vram_total: 0,
      torch_vram_free: 0,
    };
  });
  const processor = {
    name: "cpu",
    type: "cpu",
    index: null,
    vram_total: 0,
    vram_free: 0,
    torch_vram_total: 0,
    torch_vram_free: 0,
  };
  const onProcessor = devices.length === 0 || engine.faults.find("on-processor") !== undefined;
  return {
    system: {
      os: "linux",
      comfyui_version: "0.3.75",
      python_version: "3.12.3",
      pytorch_version: "2.9.0+cu130",
      argv: engine.line.words,
    },
    devices: onProcessor ? [processor] : devices,
  };
}
