import { OmniError } from "../../core/index.ts";
import type { ClusterObject } from "../../engines/engine.ts";
import { ApiError } from "./api-error.ts";
import type { ClusterSession } from "./cluster-session.ts";

/** Kinds that hold what cannot be made again, or that are the owner's alone: never written by a start. */
const OWNERS: ReadonlySet<string> = new Set(["Namespace", "Secret", "PersistentVolume"]);

const MANAGER = /conflict with "([^"]+)"/;

export interface ApplyOptions {
  /** Name under which the API remembers which fields are ours. */
  readonly fieldManager: string;
  /** Takes over fields of other managers. */
  readonly force: boolean;
  readonly service: string;
  /** Values that no message may show. */
  readonly secrets: readonly string[];
}

/** Throws OmniError `cluster.refused` for what a start must not write. */
export function refuseOwners(objects: readonly ClusterObject[], service: string): void {
  const owners = objects.find(({ kind }) => OWNERS.has(kind));
  if (owners === undefined) return;
  throw new OmniError(
    "cluster.refused",
    `${service} brings a ${owners.kind} (${owners.metadata.name}), which is its owner's to make and not a start's.`,
    { hint: "Apply it once with kubectl, in the order that the README of omni render shows." },
  );
}

/**
 * Applies an object on the server and returns it. Fields that another manager owns with another value are a refusal
 * that names both; only what an earlier write of ours left is taken over in silence.
 * Throws OmniError `cluster.conflict`, `cluster.refused`, `cluster.forbidden` or `cluster.unreachable`.
 */
export async function applyObject(
  session: ClusterSession,
  object: ClusterObject,
  options: ApplyOptions,
): Promise<unknown> {
  const { group, plural, path } = await session.asked(
    { ...session.watching(object.kind), verb: "get" },
    session.paths.of(object.apiVersion, object.kind),
  );
  const send = (force: boolean): Promise<unknown> =>
    session.client.json({
      method: "PATCH",
      path: `${path(session.namespace)}/${object.metadata.name}`,
      query: { fieldManager: options.fieldManager, force, fieldValidation: "Strict" },
      contentType: "application/apply-patch+yaml",
      body: { ...object, metadata: { ...object.metadata, namespace: session.namespace } },
    });
  const answer = send(options.force).catch((error: unknown) => {
    // A refusal may quote what it refuses.
    if (error instanceof ApiError) error.message = withoutSecrets(error.message, options.secrets);
    if (!(error instanceof ApiError) || error.status !== 409) throw error;
    if (!onlyOurs(error, options.fieldManager)) throw conflict(error, object);
    return send(true);
  });
  return session.asked(
    {
      verb: "patch",
      resource: plural,
      group,
      namespace: session.namespace,
      purpose: `start ${options.service}`,
    },
    answer,
  );
}

/** A scale to 0 is an update of ours, which the API keeps apart from what we applied. */
const onlyOurs = ({ causes }: ApiError, manager: string): boolean =>
  causes.length > 0 && causes.every(({ message }) => MANAGER.exec(message)?.[1] === manager);

/** The refusal that names each field that somebody else keeps, and who. */
export function conflict(
  error: ApiError,
  object: Pick<ClusterObject, "kind"> & { readonly metadata: { readonly name: string } },
): OmniError {
  const fields = error.causes.map(
    ({ message, field }) => `${field} (${MANAGER.exec(message)?.[1] ?? "another manager"})`,
  );
  return new OmniError(
    "cluster.conflict",
    `${object.kind} ${object.metadata.name}: Omni would change what another manager owns: ${fields.length === 0 ? error.message : fields.join(", ")}.`,
    {
      hint: `Take the field out of the spec or out of what ${managersOf(error)} writes, or let Omni take it over with force.`,
      cause: error,
    },
  );
}

const managersOf = ({ causes }: ApiError): string => {
  const names = [...new Set(causes.map(({ message }) => MANAGER.exec(message)?.[1] ?? "the other"))];
  return names.length === 0 ? "the other manager" : names.join(" and ");
};

/** Words too short to be a secret are left, or a message would lose its sense. */
const SECRET_LENGTH = 6;

const withoutSecrets = (text: string, secrets: readonly string[]): string =>
  secrets
    .filter(({ length }) => length >= SECRET_LENGTH)
    .reduce((shown, secret) => shown.replaceAll(secret, "…"), text);
