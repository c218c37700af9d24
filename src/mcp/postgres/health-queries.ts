/** Characters of another session's statement that are shown. */
const MOST_QUERY = 200;

/**
 * What `db_health` shows, each part one query that a plain role may run and that waits for no lock: sizes are those of
 * `pg_class`, because measuring the files would wait for whoever holds the table. What the role may not see of others is
 * null, as the server has it.
 */
export const HEALTH: readonly { readonly part: string; readonly sql: string }[] = [
  {
    part: "server",
    sql: `SELECT pg_catalog.json_build_object('version', pg_catalog.current_setting('server_version'),
      'started', pg_catalog.pg_postmaster_start_time(), 'in_recovery', pg_catalog.pg_is_in_recovery(),
      'database', pg_catalog.current_database(), 'database_bytes', pg_catalog.pg_database_size(pg_catalog.current_database()),
      'transaction_id_age', (SELECT pg_catalog.age(d.datfrozenxid) FROM pg_catalog.pg_database d
        WHERE d.datname = pg_catalog.current_database()))`,
  },
  {
    part: "connections",
    sql: `SELECT pg_catalog.json_build_object('most', pg_catalog.current_setting('max_connections')::pg_catalog.int4,
      'now', pg_catalog.count(*), 'active', pg_catalog.count(*) FILTER (WHERE a.state = 'active'),
      'idle_in_transaction', pg_catalog.count(*) FILTER (WHERE a.state LIKE 'idle in transaction%'))
      FROM pg_catalog.pg_stat_activity a WHERE a.backend_type = 'client backend'`,
  },
  {
    part: "longest_transactions",
    sql: `SELECT pg_catalog.json_agg(t) FROM (SELECT a.pid, a.usename, a.state, a.wait_event,
      pg_catalog.round(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.xact_start), 1) AS seconds,
      pg_catalog."left"(a.query, ${MOST_QUERY}) AS query
      FROM pg_catalog.pg_stat_activity a WHERE a.xact_start IS NOT NULL AND a.pid <> pg_catalog.pg_backend_pid()
      ORDER BY a.xact_start LIMIT 5) t`,
  },
  {
    part: "waiting_for_locks",
    sql: `SELECT pg_catalog.json_agg(t) FROM (SELECT a.pid, a.usename, pg_catalog.pg_blocking_pids(a.pid) AS blocked_by,
      pg_catalog.round(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.query_start), 1) AS seconds,
      pg_catalog."left"(a.query, ${MOST_QUERY}) AS query
      FROM pg_catalog.pg_stat_activity a
      WHERE a.pid IN (SELECT l.pid FROM pg_catalog.pg_locks l WHERE NOT l.granted)
      ORDER BY a.query_start LIMIT 10) t`,
  },
  {
    part: "activity",
    sql: `SELECT pg_catalog.json_build_object(
      'cache_hit_ratio', pg_catalog.round(d.blks_hit::pg_catalog."numeric" / nullif(d.blks_hit + d.blks_read, 0), 4),
      'commits', d.xact_commit, 'rollbacks', d.xact_rollback, 'deadlocks', d.deadlocks, 'conflicts', d.conflicts,
      'temporary_bytes', d.temp_bytes, 'since', d.stats_reset)
      FROM pg_catalog.pg_stat_database d WHERE d.datname = pg_catalog.current_database()`,
  },
  {
    part: "most_dead_rows",
    sql: `SELECT pg_catalog.json_agg(t) FROM (SELECT s.schemaname AS schema, s.relname AS name, s.n_live_tup AS live,
      s.n_dead_tup AS dead, s.last_autovacuum, s.last_vacuum, s.last_analyze
      FROM pg_catalog.pg_stat_user_tables s WHERE s.n_dead_tup > 0 ORDER BY s.n_dead_tup DESC LIMIT 5) t`,
  },
  {
    part: "largest_tables",
    sql: `SELECT pg_catalog.json_agg(t) FROM (SELECT n.nspname AS schema, c.relname AS name,
      c.relpages::pg_catalog.int8 * pg_catalog.current_setting('block_size')::pg_catalog.int8 AS bytes_without_indexes
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      ORDER BY c.relpages DESC LIMIT 5) t`,
  },
  {
    part: "replication",
    sql: `SELECT pg_catalog.json_agg(t) FROM (SELECT r.application_name, r.state, r.sync_state,
      EXTRACT(epoch FROM r.replay_lag) AS replay_lag_seconds FROM pg_catalog.pg_stat_replication r LIMIT 10) t`,
  },
  {
    part: "lag_of_this_replica_seconds",
    sql: `SELECT pg_catalog.to_json(CASE WHEN pg_catalog.pg_is_in_recovery()
      THEN EXTRACT(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp()) END)`,
  },
];
