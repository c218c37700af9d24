import { Badge } from "../../parts/badge.tsx";
import type { Tone } from "../../parts/badge.tsx";
import { Button } from "../../parts/button.tsx";
import { prettyJson } from "../../parts/pretty-json.ts";
import { decide } from "./chat-store.ts";
import type { Call } from "./turn.ts";

const TONES: Readonly<Record<Call["state"], readonly [Tone, string]>> = {
  called: ["busy", "called"],
  returned: ["good", "returned"],
  failed: ["error", "failed"],
  asked: ["warning", "waits for you"],
  agreed: ["good", "you agreed"],
  declined: ["quiet", "you declined"],
};

/** A call of a tool: what for, how far, what it gave; and the question, where somebody has to agree. */
export function CallView({ call, lane }: { readonly call: Call; readonly lane: string }) {
  const { id, server, name, arguments: sent, state, result } = call;
  const [tone, word] = TONES[state];
  return (
    <details className="call" open={state === "asked"}>
      <summary>
        <code>{server === undefined || server === "" ? name : `${server} › ${name}`}</code>{" "}
        <Badge tone={tone}>{word}</Badge>
      </summary>
      {sent !== "" && <pre className="log">{prettyJson(sent)}</pre>}
      {result !== undefined && (
        <>
          <p className="quiet">{state === "failed" ? "Why it failed" : "What it gave"}</p>
          <pre className="log">{prettyJson(result)}</pre>
        </>
      )}
      {state === "asked" && (
        <div className="row" role="group" aria-label={`May ${name} be called?`}>
          <Button tone="primary" onPress={() => decide(lane, id, true)}>
            Let it be called
          </Button>
          <Button tone="danger" onPress={() => decide(lane, id, false)}>
            Refuse
          </Button>
        </div>
      )}
    </details>
  );
}
