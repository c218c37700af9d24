/** What nvidia-smi prints, and its exit code (man page: 2 bad argument, 6 not found, 15 fallen off the bus). */
export interface Answer {
  readonly text: string;
  readonly code: number;
}
