/** The thread that writes requests down: SQLite waits for the disk, and nobody's answer waits for SQLite. */
import { parentPort, workerData } from "node:worker_threads";
import { messageOf } from "../core/index.ts";
import { RequestTable } from "./request-table.ts";
import type { RequestBounds } from "./request-table.ts";
import { RequestWriter } from "./request-writer.ts";
import type { FromThread, ToThread } from "./thread-writer.ts";

/** Milliseconds that the thread waits for a lock: it may. */
const PATIENCE = 200;

interface Data {
  readonly stateFolder: string;
  readonly bounds: Partial<RequestBounds>;
}

function serve(port: NonNullable<typeof parentPort>, { stateFolder, bounds }: Data): void {
  const say = (message: FromThread): void => port.postMessage(message);
  const table = new RequestTable(stateFolder, bounds, PATIENCE);
  const writer = new RequestWriter(
    table,
    { done: (number) => say({ is: "done", number }), lost: (rows, why) => say({ is: "lost", rows, why }) },
    0,
  );
  const answer = ({ call, question }: Extract<ToThread, { is: "ask" }>): FromThread => {
    try {
      const found =
        question.of === "latest"
          ? { rows: writer.latest(question.limit, question.filter) }
          : { history: writer.history(question.query) };
      return { is: "answer", call, found };
    } catch (error) {
      return { is: "unread", call, why: messageOf(error) };
    }
  };
  port.on("message", (message: ToThread) => {
    switch (message.is) {
      case "rows":
        writer.take(message);
        return;
      case "ask":
        say(answer(message));
        return;
      case "close":
        writer.close();
        say({ is: "closed" });
        port.close();
    }
  });
}

const data: Data = workerData;
if (parentPort !== null) serve(parentPort, data);
