import type { Check, DoctorSubject, Finding } from "../check.ts";
import { hubsOf, tokenOf } from "./hubs.ts";
import type { Hub } from "./hubs.ts";

const ID = "network.hub";

/** Hubs of the plan's models answer, take the token, and have the models. */
export const hubAnswers: Check = {
  id: ID,
  title: "Model hub",
  look: async (subject) => (await Promise.all(hubsOf(subject).map((hub) => findingsOf(subject, hub)))).flat(),
};

async function findingsOf(subject: DoctorSubject, hub: Hub): Promise<readonly Finding[]> {
  const { network, spec } = subject;
  const base = { check: ID, subject: hub.endpoint } as const;
  const answer = await network.ask(`${hub.endpoint}/api/models?limit=1`);
  if (!answer.answered)
    return [
      {
        ...base,
        state: spec === undefined ? "warning" : "error",
        seen: answer.message,
        wanted: "an answer",
        why: "Models cannot be fetched.",
        remedy: `curl -I ${hub.endpoint}; behind a proxy set HTTPS_PROXY, with a mirror set HF_ENDPOINT`,
      },
    ];
  const busy = answer.status === 429 || answer.status >= 500;
  const reached: Finding = {
    ...base,
    state: busy ? "warning" : "ok",
    seen: `answers ${answer.status} in ${Math.round(answer.milliseconds)} ms`,
    ...(busy
      ? {
          why: "The hub has trouble, or counts too many requests of this address.",
          remedy: "Try again later.",
        }
      : {}),
  };
  const token = await tokenOf(subject, hub);
  const taken = await tokenFinding(subject, hub, token);
  return [reached, ...taken, ...(await modelFindings(subject, hub, token))];
}

const bearer = (token: string | undefined): Record<string, string> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` };

async function tokenFinding(
  { network }: DoctorSubject,
  hub: Hub,
  token: string | undefined,
): Promise<readonly Finding[]> {
  const base = { check: ID, subject: `token for ${hub.endpoint}` } as const;
  const { env, file } = hub.token ?? {};
  const from = env === undefined ? (file === undefined ? "HF_TOKEN" : `the file ${file}`) : env;
  if (token === undefined)
    return hub.token === undefined
      ? []
      : [
          {
            ...base,
            state: "error",
            seen: `${from} is not set`,
            wanted: "the token that the spec names",
            why: "Models behind a licence are refused without it.",
            remedy: env === undefined ? `Write it into ${from}.` : `export ${from}=hf_…`,
          },
        ];
  const answer = await network.ask(`${hub.endpoint}/api/whoami-v2`, { headers: bearer(token) });
  if (!answer.answered) return [];
  if (answer.status < 400) return [{ ...base, state: "ok", seen: "accepted" }];
  // A mirror need not know whom a token belongs to.
  if (answer.status === 404)
    return [{ ...base, state: "note", seen: "this hub does not say whose token it is" }];
  return [
    {
      ...base,
      state: "error",
      seen: `refused (${answer.status})`,
      wanted: "a valid token",
      why: "It has ended or was mistyped; with a wrong token even public models are refused.",
      remedy: `${hub.endpoint}/settings/tokens; then set ${from}`,
    },
  ];
}

async function modelFindings(
  { network }: DoctorSubject,
  { endpoint, models }: Hub,
  token: string | undefined,
): Promise<readonly Finding[]> {
  const looked = models.map(async ({ name, repository, revision }): Promise<readonly Finding[]> => {
    const url = `${endpoint}/api/models/${repository}/revision/${encodeURIComponent(revision)}`;
    const answer = await network.ask(url, { headers: bearer(token) });
    const base = {
      check: ID,
      subject: `model ${name} (${repository}@${revision})`,
      path: `models.${name}.source`,
    };
    if (!answer.answered || answer.status === 429 || answer.status >= 500) return [];
    if (answer.status < 400) return [{ ...base, state: "ok", seen: "there" }];
    const hidden = answer.status === 401 || answer.status === 403;
    return [
      {
        ...base,
        state: "error",
        seen: hidden
          ? `not shown to ${token === undefined ? "nobody in particular" : "this token"} (${answer.status})`
          : `answers ${answer.status}`,
        wanted: "a repository that can be read",
        why: "Its download would be refused.",
        remedy: hidden
          ? `Accept its licence at ${endpoint}/${repository} and set HF_TOKEN; the hub says the same of a name that does not exist.`
          : "Check owner, name and revision.",
      },
    ];
  });
  return (await Promise.all(looked)).flat();
}
