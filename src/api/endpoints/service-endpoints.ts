import type { Call } from "../../gateway/call.ts";
import type { Endpoint } from "../../gateway/surface.ts";
import type { Supervisor } from "../../supervisor/index.ts";
import { OPERATIONS } from "../contract/index.ts";
import { refusing } from "./refusing.ts";
import { segmentsOf } from "./segments.ts";
import { sendAnswer, sendMissing } from "./send-answer.ts";
import { serviceLog } from "./service-log.ts";
import { withQuery } from "./with-query.ts";

export interface ServicesKnown {
  readonly supervisor: Pick<Supervisor, "services" | "log">;
  /** Values that no log may show. */
  readonly secrets: () => Promise<readonly string[]>;
}

const USUAL_LINES = 200;

/** `GET /api/services/NAME/log`; orders to services are the gateway's own. */
export const serviceEndpoints = (known: ServicesKnown): Readonly<Record<string, Endpoint>> => ({
  "/api/services/*": { admin: true, GET: (call, rest) => tellLog(known, call, rest) },
});

function tellLog({ supervisor, secrets }: ServicesKnown, call: Call, rest: string): void {
  const [name = "", what, ...more] = segmentsOf(rest) ?? [];
  if (what !== "log" || more.length > 0) {
    sendMissing(call, "unknown_action", "It is GET /api/services/NAME/log that tells of one service.");
    return;
  }
  if (!supervisor.services().some((service) => service.name === name)) {
    sendMissing(call, "service_not_found", `This node has no service "${name.slice(0, 100)}".`);
    return;
  }
  withQuery(
    call,
    OPERATIONS["GET /api/services/{name}/log"].query,
    ({ lines = USUAL_LINES }) =>
      void refusing(call, async () =>
        sendAnswer(
          call,
          "GET /api/services/{name}/log",
          await serviceLog(supervisor.log(name), lines, secrets),
        ),
      ),
  );
}
