import { EXIT, nearest, OmniError } from "../../core/index.ts";
import type { ExitCode } from "../../core/index.ts";
import { CHECK_GROUPS, CHECKS, isNamed, offeredFixes } from "../../host/doctor/index.ts";
import type { DoctorReport, DoneFix, Finding } from "../../host/doctor/index.ts";
import { transportPool } from "../../host/transport/index.ts";
import type { HostTransport } from "../../host/index.ts";
import type { Invocation } from "../command.ts";
import type { Terminal } from "../terminal.ts";
import { confirmFixes, makeFixes, shownFixes } from "./doctor-fixes.ts";
import { doctorHosts } from "./doctor-hosts.ts";
import type { DoctorHost } from "./doctor-hosts.ts";
import { countFindings, printReport } from "./doctor-report.ts";
import { doctorSpec } from "./doctor-spec.ts";
import type { DoctorSpec } from "./doctor-spec.ts";
import { lookAtHost } from "./look-at-host.ts";
import type { LookOptions } from "./look-at-host.ts";

/** A host that was looked at, and what is needed to look again. */
interface Looked {
  readonly host: DoctorHost;
  readonly transport: HostTransport;
  readonly report: DoctorReport;
  readonly options: LookOptions;
}

/** Looks at hosts, prints what it found, and mends what may be mended. Throws `OmniError` for a wrong spec, host or check. */
export async function runDoctorCommand(invocation: Invocation, terminal: Terminal): Promise<ExitCode> {
  checkOptions(invocation);
  const spec = await doctorSpec(invocation.positionals[0], terminal);
  const hosts = doctorHosts(spec?.located.spec, invocation.value("host"));
  await using pool = transportPool();
  const looked: Looked[] = [];
  for (const [index, host] of hosts.entries()) {
    const transport = pool.to(host.destination);
    const only = namedChecks(invocation.values("only"));
    const options = { only, selfTest: invocation.flag("self-test"), network: index === 0 };
    const looking = lookAtHost(host, transport, spec, options);
    const report = await (hosts.length === 1
      ? looking
      : looking.catch((thrown: unknown) => lost(transport, thrown)));
    looked.push({ host, transport, options, report });
  }
  const after = invocation.flag("fix")
    ? await fixAll(looked, spec, invocation, terminal)
    : { looked, fixes: [] };
  const findings = after.looked.flatMap(({ report }) => report.findings);
  if (invocation.flag("json")) terminal.out(JSON.stringify(documentOf(after, spec), null, 2));
  else {
    for (const { report } of after.looked) printReport(report, invocation.flag("all"), terminal);
    printEnd(findings, spec, terminal);
  }
  return findings.some(({ state }) => state === "error") ? EXIT.failed : EXIT.done;
}

/** One of several hosts that cannot be looked at hides none of the others. */
function lost({ name }: HostTransport, thrown: unknown): DoctorReport {
  if (!(thrown instanceof OmniError) || !thrown.code.startsWith("host.")) throw thrown;
  const finding: Finding = {
    check: "system.reachable",
    state: "error",
    seen: thrown.message,
    wanted: "a host that can be looked at",
    remedy: thrown.hint,
  };
  return { host: name, findings: [finding], checks: 0, verdict: "wrong" };
}

interface AfterFixes {
  readonly looked: readonly Looked[];
  readonly fixes: readonly (DoneFix & { readonly host: string })[];
}

/** Shows the fixes of all hosts, asks once, makes them, and looks again at what they were for. */
async function fixAll(
  looked: readonly Looked[],
  spec: DoctorSpec | undefined,
  invocation: Invocation,
  terminal: Terminal,
): Promise<AfterFixes> {
  const offers = looked.map((one) => ({ one, offered: offeredFixes(one.report.findings) }));
  const count = offers.reduce((sum, { offered }) => sum + offered.length, 0);
  if (count === 0) terminal.err("There is nothing that could be mended without risk.");
  for (const { one, offered } of offers)
    for (const line of await shownFixes(one.transport, offered)) terminal.err(line);
  if (count === 0 || invocation.flag("dry-run")) return { looked, fixes: [] };
  await confirmFixes(count, invocation.flag("yes"), terminal);
  const fixes: (DoneFix & { readonly host: string })[] = [];
  const after: Looked[] = [];
  for (const { one, offered } of offers) {
    const done = offered.length === 0 ? [] : await makeFixes(one.transport, offered, terminal);
    fixes.push(...done.map((fix) => ({ ...fix, host: one.transport.name })));
    after.push(done.length === 0 ? one : await lookAgain(one, done, spec));
  }
  return { looked: after, fixes };
}

/** The same host with the checks whose fixes were made asked once more. */
async function lookAgain(
  one: Looked,
  done: readonly DoneFix[],
  spec: DoctorSpec | undefined,
): Promise<Looked> {
  const again = new Set(done.map(({ finding }) => finding.check));
  const fresh = await lookAtHost(one.host, one.transport, spec, { ...one.options, only: [...again] });
  const order = CHECKS.map(({ id }): string => id);
  const findings = [
    ...one.report.findings.filter(({ check }) => !again.has(check)),
    ...fresh.findings,
  ].toSorted((a, b) => order.indexOf(a.check) - order.indexOf(b.check));
  return { ...one, report: { ...one.report, findings } };
}

const documentOf = ({ looked, fixes }: AfterFixes, spec: DoctorSpec | undefined): object => ({
  spec: spec?.located.origin ?? null,
  hosts: looked.map(({ host, report }) => ({
    host: report.host,
    machine: host.machine?.name ?? null,
    verdict: report.verdict,
    checks: report.checks,
    findings: report.findings,
  })),
  fixes: fixes.map(({ host, finding, fix, done, changes }) => ({
    host,
    check: finding.check,
    title: fix.title,
    needsReboot: fix.needsReboot,
    done,
    changes: changes.map(({ change, ...rest }) => ({ ...change, ...rest })),
  })),
});

/** The count, and what to type next. */
function printEnd(
  findings: readonly Finding[],
  spec: DoctorSpec | undefined,
  { out, style }: Terminal,
): void {
  const wrong = findings.some(({ state }) => state === "error");
  const offered = offeredFixes(findings).length;
  out(`${style(wrong ? "red" : "green", wrong ? "not well" : "well")}: ${countFindings(findings)}`);
  if (offered > 0) out(`./omni doctor --fix shows ${offered} of them as changes that do no harm, and asks.`);
  else if (wrong) out("Mend what is an error above, from the top; then ./omni doctor again.");
  else
    out(
      spec === undefined
        ? "Next: ./omni init, or ./omni up for the demo."
        : `Next: ./omni plan ${spec.located.origin}`,
    );
}

/** Throws `OmniError` `cli.bad-argument` for options that mean nothing without --fix. */
function checkOptions(invocation: Invocation): void {
  const alone = ["yes", "dry-run"].find((option) => invocation.flag(option) && !invocation.flag("fix"));
  if (alone === undefined) return;
  throw new OmniError("cli.bad-argument", `--${alone} means nothing without --fix.`, { hint: "Add --fix." });
}

/** Groups and checks as typed. Throws `OmniError` `cli.bad-argument` for a name of neither. */
function namedChecks(given: readonly string[]): readonly string[] {
  const names = given.flatMap((text) => text.split(",")).map((name) => name.trim());
  const known: readonly string[] = [...CHECK_GROUPS, ...CHECKS.map(({ id }) => id)];
  const wrong = names.find((name) => !CHECKS.some((check) => isNamed(check, [name])));
  if (wrong === undefined) return names;
  const near = nearest(wrong, known);
  throw new OmniError(
    "cli.bad-argument",
    `${JSON.stringify(wrong)} is neither a check nor a group of checks.`,
    {
      hint: near === undefined ? `Groups: ${CHECK_GROUPS.join(", ")}` : `Did you mean --only ${near}?`,
    },
  );
}
