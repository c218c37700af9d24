import { messageOf, OmniError } from "../../core/index.ts";
import { ApiError } from "./api-error.ts";

/** What was asked of the API, for the rule that would allow it. */
export interface Asked {
  readonly verb: "get" | "list" | "watch" | "patch" | "delete" | "create";
  /** `deployments`, `pods/log`. */
  readonly resource: string;
  /** `apps`; empty for the core. */
  readonly group: string;
  readonly namespace: string;
  /** What for, after "to": `start brain`. */
  readonly purpose: string;
}

/** Errors of TLS by what they mean; Node's codes. */
const TLS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "its certificate has expired: renew it on the control plane",
  CERT_NOT_YET_VALID: "its certificate is not valid yet: compare the clocks",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is not signed by the authority of the kubeconfig",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is not signed by the authority of the kubeconfig",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is not signed by the authority of the kubeconfig",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is not signed by the authority of the kubeconfig",
  ERR_TLS_CERT_ALTNAME_INVALID:
    "its certificate is for another name: tls-server-name in the kubeconfig says which",
};
/** Alerts that a server sends about the certificate of its client. */
const CLIENT_CERTIFICATE = /alert certificate (?:expired|revoked|unknown|required)|bad certificate/i;

/** The refusal or failure of a request as an `OmniError` that says what to do. */
export function clusterFault(error: unknown, asked: Asked, server: string): OmniError {
  if (error instanceof OmniError) return error;
  const what = `${asked.verb} ${asked.resource} in ${asked.namespace}`;
  if (!(error instanceof ApiError)) return unreachable(error, server);
  if (error.status === 401) {
    return new OmniError("cluster.unauthorized", `${server} does not know who asks (${error.message}).`, {
      cause: error,
    });
  }
  if (error.status === 403 && /exceeded quota|admission webhook|violates PodSecurity/i.test(error.message)) {
    return new OmniError("cluster.refused", `The cluster refuses to ${what}: ${error.message}`, {
      cause: error,
    });
  }
  if (error.status === 403) return forbidden(error, asked, what);
  if (error.status === 404 && /namespaces? "?[^"]*"? ?not found/i.test(error.message)) {
    return new OmniError(
      "cluster.refused",
      `The namespace ${asked.namespace} does not exist in the cluster.`,
      {
        hint: `kubectl create namespace ${asked.namespace}, or apply 00-namespace.yaml of omni render.`,
        cause: error,
      },
    );
  }
  if (error.status >= 500 || error.status === 429) return unreachable(error, server);
  return new OmniError("cluster.refused", `The cluster refuses to ${what}: ${error.message}`, {
    cause: error,
  });
}

function unreachable(error: unknown, server: string): OmniError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const words = messageOf(error);
  if (CLIENT_CERTIFICATE.test(words)) {
    return new OmniError(
      "cluster.unauthorized",
      `${server} does not take the client certificate of the kubeconfig: ${words}`,
      { hint: "It has expired or is of another cluster; fetch a new kubeconfig.", cause: error },
    );
  }
  const tls = TLS[code];
  if (tls !== undefined)
    return new OmniError("cluster.unreachable", `${server} is not trusted: ${tls}.`, { cause: error });
  const shown = words === "" ? code : words;
  return new OmniError("cluster.unreachable", `The API server ${server} cannot be reached: ${shown}`, {
    cause: error,
  });
}

function forbidden(error: ApiError, asked: Asked, what: string): OmniError {
  return new OmniError(
    "cluster.forbidden",
    `To ${asked.purpose}, Omni must ${what}, and the credentials may not: ${error.message}`,
    { hint: `A rule that allows it: ${ruleFor(asked)}`, cause: error },
  );
}

/** A rule of RBAC in one line of YAML; a Role in that namespace carries it. Who lists also watches. */
const ruleFor = ({ verb, resource, group, namespace }: Asked): string => {
  const verbs = (verb === "list" ? ["list", "watch"] : [verb]).map((one) => `"${one}"`).join(", ");
  return `{ apiGroups: ["${group}"], resources: ["${resource}"], verbs: [${verbs}] }, in a Role of the namespace ${namespace} that is bound to them.`;
};
