import type { OmniError } from "../../core/index.ts";
import type { PostgresOptions } from "./postgres-options.ts";
import { readRoleFacts } from "./role-facts.ts";
import { judgeRole, roleRefusal } from "./role-verdict.ts";
import type { RoleWarning } from "./role-verdict.ts";
import type { Session } from "./session.ts";

/** Milliseconds that a verdict holds: a role that is fit, and one that is not. */
const FIT_TIME = 30_000;
const REFUSED_TIME = 3000;

/** Asks what the role may do, at every new connection and again when the last answer is old. */
export class RoleCheck {
  readonly #options: PostgresOptions;
  readonly #checked = new WeakMap<Session, number>();
  #refusal: { readonly error: OmniError; readonly until: number } | undefined;
  /** What the owner should know of the role; of the last check. */
  warnings: readonly RoleWarning[] = [];
  /** Whether each connection is to be used for one statement only. */
  keepsState = false;

  constructor(options: PostgresOptions) {
    this.#options = options;
  }

  /** Throws a refusal that is still fresh, before anything is connected. */
  refuseFresh(): void {
    if (this.#refusal !== undefined && Date.now() < this.#refusal.until) throw this.#refusal.error;
  }

  forget(): void {
    this.#refusal = undefined;
  }

  /** Rejects with `mcp.postgres-role`, or with what the driver throws. */
  async check(session: Session): Promise<void> {
    const last = this.#checked.get(session);
    if (last !== undefined && Date.now() - last < FIT_TIME) return;
    const { writable, allowSuperuser, schemas, connections } = this.#options;
    const verdict = judgeRole(await readRoleFacts(session), writable);
    this.keepsState = verdict.keepsState;
    if (verdict.refused.length > 0 && !allowSuperuser) {
      const place = {
        database: session.backend.database,
        schemas: schemas ?? ["public"],
        writable,
        connections,
      };
      const error = roleRefusal(verdict, place);
      this.#refusal = { error, until: Date.now() + REFUSED_TIME };
      throw error;
    }
    this.#refusal = undefined;
    this.warnings = [
      ...(verdict.refused.length === 0
        ? []
        : [
            {
              text: "The database role may do more than it should, by allowSuperuser.",
              names: verdict.refused,
            },
          ]),
      ...verdict.warnings,
    ];
    this.#checked.set(session, Date.now());
  }
}
