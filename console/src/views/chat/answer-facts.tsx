import { hashTo } from "../../app/hash-route.ts";
import { useSession } from "../../app/session.ts";
import { useLive } from "../../live/use-live.ts";
import { formatCount, formatDuration } from "../../parts/words.ts";
import { answerSpeed } from "./answer/answer-speed.ts";
import type { AnswerTurn } from "./turn.ts";

/** Who answered, how soon, how fast, how much: one line of small print. */
export function AnswerFacts({ answer }: { readonly answer: AnswerTurn }) {
  const { admin } = useSession();
  const { served, usage } = answer;
  // A stream that had to wait for its model says in its head nothing of who answers: the books know it once it has ended.
  const booked = useLive(({ requests }) =>
    served.request === undefined || served.service !== undefined
      ? undefined
      : requests.findLast(({ id }) => id === served.request),
  );
  const { ttft, tokensPerSecond } = answerSpeed(answer);
  const facts = [
    served.service ?? booked?.service,
    served.engine ?? booked?.engine,
    ...(served.route === undefined ? [] : [`route ${served.route}`]),
    ...(served.attempts === undefined || served.attempts < 2 ? [] : [`${served.attempts} tries`]),
    ...(ttft === undefined ? [] : [`first token ${formatDuration(ttft)}`]),
    ...(tokensPerSecond === undefined ? [] : [`${tokensPerSecond.toFixed(1)} tokens/s`]),
    ...(usage === undefined ? [] : [usageWords(usage)]),
    ...answer.continued.map(({ service }) => `continued by ${service}`),
  ].filter((fact) => fact !== undefined);
  if (facts.length === 0 && served.request === undefined) return null;
  return (
    <p className="answer-facts">
      {facts.join(" · ")}{" "}
      {admin && served.request !== undefined && <a href={hashTo("requests", [served.request])}>request</a>}
    </p>
  );
}

const usageWords = ({ prompt, completion, cached }: NonNullable<AnswerTurn["usage"]>): string =>
  [
    ...(prompt === undefined ? [] : [`${formatCount(prompt)} in`]),
    ...(cached === undefined || cached === 0 ? [] : [`${formatCount(cached)} of them cached`]),
    ...(completion === undefined ? [] : [`${formatCount(completion)} out`]),
  ].join(", ");
