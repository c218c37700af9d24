import { useState } from "react";
import { ask } from "../../api/ask.ts";
import type { Service } from "../../live/live-state.ts";
import { Button } from "../../parts/button.tsx";
import { Confirm } from "../../parts/confirm.tsx";
import { Notice } from "../../parts/notice.tsx";
import { ACTIONS, offered } from "./actions.ts";
import type { Action } from "./actions.ts";

/** What can be ordered of a service, each asked for once more before it is done. The node's own answer is shown. */
export function ServiceActions({ service }: { readonly service: Service }) {
  const [asked, setAsked] = useState<Action>();
  const [said, setSaid] = useState<string>();
  const { name } = service;
  const order = async ({ action }: Action): Promise<void> => {
    const answer = await ask("POST /api/services/{name}/{action}", { params: { name, action } });
    setSaid(answer.message);
  };
  return (
    <>
      {ACTIONS.filter((action) => offered(action, service)).map((action) => (
        <Button
          key={action.action}
          tone={action.danger === true ? "danger" : "plain"}
          onPress={() => {
            setSaid(undefined);
            setAsked(action);
          }}
        >
          {action.word}
        </Button>
      ))}
      {said !== undefined && <Notice tone="good" title={said} />}
      {asked !== undefined && (
        <Confirm
          title={`${asked.word}: ${name}?`}
          word={asked.word}
          danger={asked.danger === true}
          act={() => order(asked)}
          close={() => setAsked(undefined)}
        >
          <p>{asked.means}</p>
          {asked.cuts === true && (service.inFlight ?? 0) > 0 && (
            <p>
              {service.inFlight === 1 ? "1 request is" : `${service.inFlight} requests are`} being answered;
              they may end first.
            </p>
          )}
        </Confirm>
      )}
    </>
  );
}
