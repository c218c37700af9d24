/**
 * Doctor: what a host is, beside what the spec asks of it. One file for each question; looking changes nothing, and the few
 * changes that a finding offers do no harm and are made only when somebody asks. Never here: judging a spec by itself
 * (advice), and work that takes more than a moment or could destroy something (runbook).
 */
export { applyFixes, currentText, offeredFixes } from "./apply-fixes.ts";
export type { DoneFix, OfferedFix } from "./apply-fixes.ts";
export { CHECK_GROUPS } from "./check.ts";
export type { ClusterView, DoctorSubject, Finding, FindingState } from "./check.ts";
export { CHECKS } from "./checks.ts";
export { liveNetwork } from "./network-view.ts";
export { isNamed, runDoctor } from "./run-doctor.ts";
export type { DoctorReport } from "./run-doctor.ts";
