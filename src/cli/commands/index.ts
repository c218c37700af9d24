import type { Command } from "../command.ts";
import { bench } from "./bench.ts";
import { apply } from "./apply.ts";
import { chat } from "./chat.ts";
import { chaos } from "./chaos.ts";
import { check } from "./check.ts";
import { completion } from "./completion.ts";
import { doctor } from "./doctor.ts";
import { engines } from "./engines.ts";
import { events } from "./events.ts";
import { gpu } from "./gpu.ts";
import { init } from "./init.ts";
import { keys } from "./keys.ts";
import { mcp } from "./mcp.ts";
import { models } from "./models.ts";
import { plan } from "./plan.ts";
import { reload } from "./reload.ts";
import { render } from "./render.ts";
import { schema } from "./schema.ts";
import { service } from "./service.ts";
import { status } from "./status.ts";
import { top } from "./top.ts";
import { up } from "./up.ts";

/** Every command, in the order the help lists them. */
export const COMMANDS: readonly Command[] = [
  up,
  init,
  chat,
  status,
  top,
  service,
  reload,
  events,
  keys,
  mcp,
  check,
  plan,
  doctor,
  render,
  apply,
  models,
  engines,
  gpu,
  chaos,
  bench,
  schema,
  completion(() => COMMANDS),
];
