/** Whether a device of a plan is main memory, `cpu` or `machine/cpu`, and no card. */
export const isMainMemory = (device: string): boolean => /(?:^|\/)cpu$/.test(device);
