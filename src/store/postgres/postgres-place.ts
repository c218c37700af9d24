import { messageOf, OmniError } from "../../core/index.ts";

/** Where a database is, in words that carry no secret, and how to take secrets out of others' words. */
export interface PostgresPlace {
  readonly connectionString: string;
  /** `PostgreSQL at db.example:5432/omni`. */
  readonly name: string;
  /** Text without the connection string, the password and what else of it is nobody's business. */
  clean(text: string): string;
}

/** Reads a connection string. Throws OmniError `store.unreachable` that does not repeat it. */
export function postgresPlace(connectionString: string): PostgresPlace {
  const url = URL.parse(connectionString);
  if (url === null || !/^postgres(?:ql)?:$/.test(url.protocol)) {
    throw new OmniError("store.unreachable", "The connection string of gateway.store.postgres is not one.", {
      hint: "It looks like postgres://user:password@host:5432/database.",
    });
  }
  const secrets = [
    connectionString,
    url.password,
    decoded(url.password),
    ...url.searchParams.values(),
    url.search,
  ].filter((secret) => secret.length > 0);
  // The longest first: a part that is taken out before would leave the rest of a whole.
  const ordered = secrets.toSorted((a, b) => b.length - a.length);
  return {
    connectionString,
    name: `PostgreSQL at ${url.hostname === "" ? "localhost" : url.hostname}:${url.port === "" ? "5432" : url.port}${url.pathname}`,
    clean: (text) => ordered.reduce((left, secret) => left.replaceAll(secret, "…"), text),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A fault of the database as Omni's error. The cause is left out: the driver puts its settings into some of them. */
export function unreachable(place: PostgresPlace, error: unknown): OmniError {
  if (error instanceof OmniError) return error;
  return new OmniError(
    "store.unreachable",
    `${place.name} does not serve: ${place.clean(messageOf(error)) || "no answer"}.`,
  );
}
