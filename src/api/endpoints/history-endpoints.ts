import type { Call } from "../../gateway/call.ts";
import type { Endpoint } from "../../gateway/surface.ts";
import type { Requests, SampleHistory } from "../../store/index.ts";
import { OPERATIONS } from "../contract/index.ts";
import { refusing } from "./refusing.ts";
import { segmentsOf } from "./segments.ts";
import { sendAnswer, sendMissing } from "./send-answer.ts";
import { withQuery } from "./with-query.ts";

/** What remembers how things were. */
export interface Histories {
  readonly samples: Pick<SampleHistory, "history" | "hostHistory">;
  readonly requests: Pick<Requests, "history">;
}

/** Minutes that are asked about, and points that they are told in, where nothing is said. */
const USUAL_MINUTES = 60;
const USUAL_POINTS = 240;
/** Milliseconds of the shortest step. */
const LEAST_STEP = 1000;

interface Period {
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

/** `/api/history/*`: how cards, the machine and services were. What nothing is known of has no points. */
export const historyEndpoints = ({ samples, requests }: Histories): Readonly<Record<string, Endpoint>> => ({
  "/api/history/host": {
    admin: true,
    GET: (call) =>
      withPeriod(call, ({ from, to, step }) =>
        sendAnswer(call, "GET /api/history/host", { points: samples.hostHistory(from, to, step) }),
      ),
  },
  "/api/history/cards/*": {
    admin: true,
    GET: (call, rest) =>
      withNamed(call, rest, (uuid, { from, to, step }) =>
        sendAnswer(call, "GET /api/history/cards/{uuid}", { points: samples.history(uuid, from, to, step) }),
      ),
  },
  "/api/history/services/*": {
    admin: true,
    GET: (call, rest) =>
      withNamed(
        call,
        rest,
        (service, period) =>
          void refusing(call, async () =>
            sendAnswer(
              call,
              "GET /api/history/services/{name}",
              await requests.history({ service, ...period }),
            ),
          ),
      ),
  },
});

/** All of them are asked with the same query. */
const { query: QUERY } = OPERATIONS["GET /api/history/host"];

function withPeriod(call: Call, then: (period: Period) => void): void {
  withQuery(call, QUERY, ({ minutes = USUAL_MINUTES, step }) => {
    const to = Date.now();
    const from = to - minutes * 60_000;
    then({ from, to, step: step ?? Math.max(LEAST_STEP, Math.ceil((to - from) / USUAL_POINTS)) });
  });
}

function withNamed(call: Call, rest: string, then: (name: string, period: Period) => void): void {
  const [name, ...more] = segmentsOf(rest) ?? [];
  if (name === undefined || more.length > 0)
    sendMissing(
      call,
      "unknown_history",
      "It is GET /api/history/host, cards/UUID or services/NAME that tells how something was.",
    );
  else withPeriod(call, (period) => then(name, period));
}
