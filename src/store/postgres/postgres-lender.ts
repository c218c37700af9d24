import { z } from "zod";
import { OmniError } from "../../core/index.ts";
import { LOAN_PARTS, LOAN_TIME } from "../limit-lender.ts";
import type { LimitAsk, LimitGrant, LimitLender } from "../limit-lender.ts";
import type { PostgresLink } from "./postgres-link.ts";

const ASKS = `unnest($1::text[], $2::text[], $3::float8[], $4::float8[], $5::float8[], $6::float8[])
    AS ask (key, allowance, cap, span, spent, want)`;
const NOW = "(extract(epoch FROM now()) * 1000)::float8";

const ADD_ROWS = `INSERT INTO omni_allowances (key, allowance, used, at, holds)
  SELECT key, allowance, 0, ${NOW}, '{}' FROM unnest($1::text[], $2::text[]) AS ask (key, allowance)
  ORDER BY key, allowance ON CONFLICT DO NOTHING`;

/**
 * The exchange as one statement. Rows are locked in one order, so that gateways never wait for each other in a circle,
 * and read after the lock, so that what another gateway has just taken counts. The clock is the database's, which all
 * share; a transaction that began earlier and comes later lets nothing come back twice.
 */
const EXCHANGE = `
  WITH row AS MATERIALIZED (
    SELECT a.key, a.allowance, a.used, a.at, a.holds, ask.cap, ask.span, ask.spent, ask.want, ${NOW} AS now
    FROM omni_allowances a JOIN ${ASKS} USING (key, allowance)
    ORDER BY a.key, a.allowance FOR UPDATE OF a
  ), used AS (
    SELECT key, allowance, cap, want, now, greatest(at, now) AS at,
      CASE WHEN span > 0
        THEN greatest(0, greatest(0, used - cap / span * greatest(0, now - at)) + spent)
        ELSE used + spent END AS used,
      coalesce((SELECT jsonb_object_agg(hold.key, hold.value) FROM jsonb_each(holds) AS hold
        WHERE hold.key <> $7 AND (hold.value ->> 1)::float8 > now), '{}') AS others
    FROM row
  ), lent AS (
    SELECT *, coalesce((SELECT sum((hold.value ->> 0)::float8) FROM jsonb_each(others) AS hold), 0) AS lent FROM used
  ), grants AS (
    SELECT *, CASE WHEN want <= 0 THEN 0
      ELSE greatest(0, least(cap - used - lent, greatest(want, ceil((cap - used - lent) / ${LOAN_PARTS})))) END AS held
    FROM lent
  )
  UPDATE omni_allowances a SET used = g.used, at = g.at,
    holds = CASE WHEN g.held > 0
      THEN g.others || jsonb_build_object($7::text, jsonb_build_array(g.held, g.now + ${LOAN_TIME}))
      ELSE g.others END
  FROM grants g WHERE a.key = g.key AND a.allowance = g.allowance
  RETURNING a.key, a.allowance, g.held, g.used + g.lent AS taken`;

const GRANT = z.object({ key: z.string(), allowance: z.string(), held: z.number(), taken: z.number() });

/** Lends allowances of limits that several gateways share, in PostgreSQL: one statement an exchange. */
export class PostgresLender implements LimitLender {
  readonly #link: PostgresLink;
  /** Allowances whose rows are known to be there. */
  readonly #rows = new Set<string>();

  constructor(link: PostgresLink) {
    this.#link = link;
  }

  async exchange(holder: string, asks: readonly LimitAsk[]): Promise<readonly LimitGrant[]> {
    await this.#addRows(asks);
    const rows = await this.#link.query(EXCHANGE, [
      asks.map(({ key }) => key),
      asks.map(({ allowance }) => allowance),
      asks.map(({ limit }) => limit),
      asks.map(({ span }) => span),
      asks.map(({ spent }) => spent),
      asks.map(({ want }) => want),
      holder,
    ]);
    const grants = new Map(
      z
        .array(GRANT)
        .parse(rows)
        .map((grant) => [idOf(grant), grant]),
    );
    return asks.map((ask) => {
      const grant = grants.get(idOf(ask));
      if (grant !== undefined) return grant;
      // Somebody emptied the table beside us: the row is made again next time.
      this.#rows.clear();
      throw new OmniError("store.unreachable", "The database has lost the counts of a limit.");
    });
  }

  /** Deletes counts that nobody has touched since `oldest`, milliseconds since the epoch. */
  async prune(oldest: number): Promise<void> {
    await this.#link.query("DELETE FROM omni_allowances WHERE at < $1", [oldest]);
    this.#rows.clear();
  }

  async #addRows(asks: readonly LimitAsk[]): Promise<void> {
    const fresh = asks.filter((ask) => !this.#rows.has(idOf(ask)));
    if (fresh.length === 0) return;
    await this.#link.query(ADD_ROWS, [fresh.map(({ key }) => key), fresh.map(({ allowance }) => allowance)]);
    for (const ask of fresh) this.#rows.add(idOf(ask));
  }
}

const idOf = ({ key, allowance }: Pick<LimitAsk, "key" | "allowance">): string => `${key}\n${allowance}`;
